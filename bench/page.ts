/**
 * `deno task bench:page [MB]`: merges checkpoints of that size in Chromium, and prints its memory before and at its
 * peak, and the time. The page must have been built.
 *
 * Memory is the resident set of all processes of the browser, and their proportional set, which counts shared pages
 * once.
 *
 * @module
 */
import { chromium } from "playwright-core";
import { pageFiles } from "../core/host/page_files.ts";
import { testApp } from "../tests/support/service.ts";
import { syntheticTensors, writeSynthetic } from "./synthetic.ts";

/** Bytes in the units that are printed. */
const MB = 1e6;
/** Milliseconds between two looks at the memory. */
const INTERVAL = 100;

interface Memory {
  readonly rss: number;
  readonly pss: number;
}

/** The numbers of all processes that a process and its children started. */
async function familyOf(root: number): Promise<number[]> {
  const children = new Map<number, number[]>();
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const stat = await Deno.readTextFile(`/proc/${name}/stat`).catch(() => "");
    const parent = Number(/\) \S (\d+)/.exec(stat)?.[1]);
    children.set(parent, [...children.get(parent) ?? [], Number(name)]);
  }
  const below = (id: number): number[] =>
    (children.get(id) ?? []).flatMap((child) => [child, ...below(child)]);
  return below(root);
}

async function memoryOf(root: number): Promise<Memory> {
  let [rss, pss] = [0, 0];
  for (const id of await familyOf(root)) {
    const text = await Deno.readTextFile(`/proc/${id}/smaps_rollup`).catch(() => "");
    rss += 1024 * Number(/^Rss:\s+(\d+)/m.exec(text)?.[1] ?? 0);
    pss += 1024 * Number(/^Pss:\s+(\d+)/m.exec(text)?.[1] ?? 0);
  }
  return { rss, pss };
}

/** Looks at the memory while work is done. */
async function watched<T>(
  root: number,
  work: () => Promise<T>,
): Promise<{ readonly peak: Memory; readonly seconds: number; readonly result: T }> {
  let peak = await memoryOf(root);
  let running = true;
  const watching = (async () => {
    while (running) {
      await new Promise((done) => setTimeout(done, INTERVAL));
      const { rss, pss } = await memoryOf(root);
      peak = { rss: Math.max(peak.rss, rss), pss: Math.max(peak.pss, pss) };
    }
  })();
  const started = performance.now();
  try {
    const result = await work();
    return { peak, seconds: (performance.now() - started) / 1000, result };
  } finally {
    running = false;
    await watching;
  }
}

const RECIPES = {
  linear: { merge_method: "linear", models: [{ model: "base" }, { model: "a" }] },
  ties: {
    merge_method: "ties",
    base_model: "base",
    models: [{ model: "a" }, { model: "b" }],
    parameters: { density: 0.5 },
  },
  dare_ties: {
    merge_method: "dare_ties",
    base_model: "base",
    models: [{ model: "a" }, { model: "b" }],
    parameters: { density: 0.5 },
  },
};

async function run(megabytes: number, folder: string): Promise<void> {
  const tensors = syntheticTensors(megabytes * MB / 2, "BF16");
  const paths = ["base", "a", "b"].map((name) => `${folder}/${name}.safetensors`);
  for (const [variant, path] of paths.entries()) await writeSynthetic(path, tensors, variant);
  const { size } = await Deno.stat(paths[0]!);
  console.log(`files of ${Math.round(size / MB)} MB, BF16`);
  const { app, close } = testApp({ page: pageFiles() });
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    (request) => app.fetch(request),
  );
  const browser = await chromium.launch({
    executablePath: "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
  });
  try {
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${server.addr.port}/`);
    await page.evaluate(() => {
      const input = document.createElement("input");
      input.type = "file";
      input.multiple = true;
      input.id = "bench";
      document.body.append(input);
    });
    await page.locator("#bench").setInputFiles(paths);
    const root = Deno.pid;
    await new Promise((done) => setTimeout(done, 2000));
    const idle = await memoryOf(root);
    console.log(`idle: RSS ${Math.round(idle.rss / MB)} MB, PSS ${Math.round(idle.pss / MB)} MB`);
    for (const [name, recipe] of Object.entries(RECIPES)) {
      const { peak, seconds, result } = await watched(root, () => merge(page, recipe));
      const over = (kind: keyof Memory) => Math.round((peak[kind] - idle[kind]) / MB);
      console.log(
        `${name}: ${seconds.toFixed(1)} s (${result.hashing.toFixed(1)} s of it for digests), ` +
          `${Math.round(result.bytes / MB)} MB out, above idle: RSS ${over("rss")} MB, PSS ${
            over("pss")
          } MB`,
      );
    }
  } finally {
    await browser.close();
    await server.shutdown();
    await close();
  }
}

/** Merges in the page and lets the result go piece by piece. */
function merge(page: import("playwright-core").Page, recipe: unknown) {
  return page.evaluate(async ({ address, recipe }) => {
    const { inBrowser } = await import(address);
    const scope = globalThis as { service?: ReturnType<typeof inBrowser> };
    const { send } = scope.service ??= inBrowser();
    const { files } = document.querySelector<HTMLInputElement>("#bench")!;
    const named = new Map([...files!].map((file) => [file.name.replace(/\..*/, ""), file]));
    const text = JSON.stringify(recipe);
    const used = new Map([...named].filter(([name]) => text.includes(`"${name}"`)));
    const started = performance.now();
    let hashed = started;
    const answer = await send({
      method: "POST",
      path: "/merge",
      document: { part: "recipe", value: recipe },
      files: used,
      onSent: () => hashed = performance.now(),
    });
    let bytes = 0;
    for await (const piece of answer.body) bytes += piece.length;
    return { bytes, hashing: (hashed - started) / 1000 };
  }, { address: "/page/service.js", recipe });
}

if (import.meta.main) {
  const folder = await Deno.makeTempDir();
  try {
    await run(Number(Deno.args[0] ?? 500), folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
