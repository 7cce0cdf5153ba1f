/**
 * `deno task bench`: time and memory of merging, beside plain copies of the same bytes.
 *
 * Options: `--parameters 220M --dtype BF16 --models 3 --methods a,b --inputs path,upload,store,url --runs 2
 * --latency 20 --folder .bench --json FILE`; the latency is that of the server of URLs, in milliseconds. The faster
 * run counts. The last columns compare uploads with saving the same upload and merging files; URLs with the slower of
 * merging files and asking for the same bytes, and with both at once, which share the processors as a merge by URL has
 * to share them with the server.
 *
 * @module
 */
import { METHODS } from "../core/methods/mod.ts";
import { parseDType } from "../core/tensor/dtype.ts";
import { parseCount } from "./count.ts";
import { copySeconds, readAll, requestSeconds, saveSeconds, seconds } from "./baselines.ts";
import { type InputKind, runMerge } from "./clients.ts";
import { findMergekit, runMergekit } from "./mergekit/run.ts";
import { freePort, startServer } from "./server.ts";
import { syntheticTensors, writeSynthetic } from "./synthetic.ts";

/** One line of the table. */
interface Measurement {
  readonly method: string;
  readonly inputs: string;
  readonly seconds: number;
  readonly gigabytesPerSecond: number;
  readonly peak: number;
  /** Times as long as the copies. */
  readonly ratio: number;
  /** Seconds of what it cannot do without: the copies; saving the upload and merging files; the requests alone. */
  readonly limit?: number;
  /** Seconds of merging files while the same bytes are asked for, until both are done. */
  readonly both?: number;
}

function option(name: string, fallback: string): string {
  const at = Deno.args.indexOf(`--${name}`);
  return at < 0 ? fallback : Deno.args[at + 1] ?? fallback;
}

/** Parameters per model (mergekit wants them there) and for all. */
const PARAMETERS: Record<
  string,
  { model?: Record<string, unknown>; all?: Record<string, unknown> }
> = {
  linear: { model: { weight: 0.25 } },
  task_arithmetic: { model: { weight: 0.3 } },
  slerp: { all: { t: 0.4 } },
  nearswap: { all: { t: 0.001 } },
  ties: { model: { weight: 0.3, density: 0.3 } },
  dare_linear: { model: { weight: 0.3, density: 0.3 } },
  dare_ties: { model: { weight: 0.3, density: 0.3 } },
  della: { model: { weight: 0.3, density: 0.3, epsilon: 0.1 } },
  della_linear: { model: { weight: 0.3, density: 0.3, epsilon: 0.1 } },
  breadcrumbs: { model: { weight: 0.3, density: 0.3, gamma: 0.01 } },
  breadcrumbs_ties: { model: { weight: 0.3, density: 0.3, gamma: 0.01 } },
  sce: { all: { select_topk: 0.3 } },
  nuslerp: { model: { weight: 0.5 } },
  passthrough: { model: { scale: 0.5 } },
};

/** The recipe and the variants it reads: base and models, or all as models where there is no base. */
function recipeOf(
  method: string,
  models: number,
): { recipe: Record<string, unknown>; used: number[] } {
  const all = Array.from({ length: models }, (_, i) => i + 1);
  const needsBase = METHODS.get(method)!.base === "required";
  const { maximum } = METHODS.get(method)!.models;
  const others = (needsBase ? all : [0, ...all]).slice(0, maximum);
  return {
    recipe: {
      merge_method: method,
      ...(needsBase ? { base_model: "m0" } : {}),
      models: others.map((i) => ({
        model: `m${i}`,
        parameters: PARAMETERS[method]?.model ?? {},
      })),
      parameters: PARAMETERS[method]?.all ?? {},
    },
    used: needsBase ? [0, ...others] : others,
  };
}

const folder = option("folder", ".bench");
const dtype = parseDType(option("dtype", "BF16")) ?? "BF16";
const models = Number(option("models", "3"));
const tensors = syntheticTensors(parseCount(option("parameters", "220M")), dtype);
const elements = tensors.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
const methods = option("methods", "linear,task_arithmetic,slerp,ties,dare_ties,model_stock").split(
  ",",
);
const inputs = option("inputs", "path,upload,store,url").split(",") as InputKind[];

await Deno.mkdir(folder, { recursive: true });
const real = await Deno.realPath(folder);
const stamp = JSON.stringify([tensors, models, 2]);
let size = 0;
const made = await seconds(async () => {
  const known = await Deno.readTextFile(`${real}/stamp`).catch(() => "");
  for (let i = 0; i <= models; i++) {
    const path = `${real}/m${i}.safetensors`;
    if (known !== stamp) await writeSynthetic(path, tensors, i);
    size = (await Deno.stat(path)).size;
    await readAll(path);
  }
  await Deno.writeTextFile(`${real}/stamp`, stamp);
});
console.log(
  `${models + 1} checkpoints of ${(elements / 1e6).toFixed(0)} M ${dtype} parameters, ` +
    `${(size / 1e6).toFixed(0)} MB each, ready in ${made.toFixed(1)} s`,
);

const rangePort = freePort();
const ranges = new Deno.Command(Deno.execPath(), {
  args: [
    "run",
    "-A",
    new URL("range_server.ts", import.meta.url).pathname,
    real,
    String(rangePort),
    option("latency", "20"),
  ],
  stdout: "null",
}).spawn();
const results: Measurement[] = [];
const output = `${real}/out.safetensors`;
const rangeOrigin = `http://127.0.0.1:${rangePort}`;
const runs = Number(option("runs", "2"));
const pathOf = (variant: number) => `${real}/m${variant}.safetensors`;
/** Seconds of the merges of files, by method. */
const fromFiles = new Map<string, number>();

/** What is measured beside a merge. */
type Beside = Pick<Measurement, "limit" | "both">;

/** What the inputs alone cost; nothing where merges of files were not measured before. */
async function besideOf(
  kind: InputKind,
  merge: number | undefined,
  files: Readonly<Record<string, string>>,
  fromPaths: () => Promise<number>,
): Promise<Beside> {
  if (merge === undefined || kind === "path" || kind === "store") return {};
  if (kind === "upload") return { limit: merge + await saveSeconds(files, real) };
  const urls = Object.values(files).map((file) => `${rangeOrigin}/${file}`);
  const limit = Math.max(merge, await requestSeconds(urls, size));
  const both = [];
  for (let run = 0; run < runs; run++) {
    both.push(await seconds(() => Promise.all([fromPaths(), requestSeconds(urls, size)])));
  }
  return { limit, both: Math.min(...both) };
}

function report(measurement: Measurement): void {
  results.push(measurement);
  const { method, inputs, seconds, gigabytesPerSecond, peak, ratio, limit, both } = measurement;
  const times = (base: number | undefined) => base === undefined ? "" : (seconds / base).toFixed(2);
  console.log(
    method.padEnd(18) + inputs.padEnd(10) + seconds.toFixed(2).padStart(8) +
      gigabytesPerSecond.toFixed(2).padStart(8) + peak.toFixed(0).padStart(10) +
      (ratio.toFixed(1).padStart(9) + times(limit).padStart(9) + times(both).padStart(9)).trimEnd(),
  );
}

console.log(
  `\n${"method".padEnd(18)}${
    "inputs".padEnd(10)
  }       s    GB/s   peak MB  x copies  x limit   x both`,
);
try {
  for (const kind of inputs) {
    const server = await startServer({
      AMALGAM_DATA: `${real}/data`,
      AMALGAM_FILES: real,
      AMALGAM_SOURCE_HOSTS: `127.0.0.1:${rangePort}`,
    });
    try {
      for (const method of methods) {
        const { recipe, used } = recipeOf(method, models);
        const files = Object.fromEntries(used.map((i) => [`m${i}`, `m${i}.safetensors`]));
        const copies = await copySeconds(used.map(pathOf), output);
        server.peak();
        const times: number[] = [];
        const { origin } = server;
        const merge = { origin, recipe, files, folder: real, output, ranges: rangeOrigin };
        for (let run = 0; run < runs; run++) times.push(await runMerge(kind, merge));
        const time = Math.min(...times);
        if (kind === "path") fromFiles.set(method, time);
        const peak = server.peak();
        const fromPaths = () => runMerge("path", merge);
        const beside = await besideOf(kind, fromFiles.get(method), files, fromPaths);
        report({
          method,
          inputs: kind,
          seconds: time,
          gigabytesPerSecond: size * (used.length + 1) / 1e9 / time,
          peak,
          ratio: time / copies,
          ...beside,
        });
      }
    } finally {
      await server.stop();
      await Deno.remove(`${real}/data`, { recursive: true }).catch(() => {});
    }
  }
  const mergekit = inputs.includes("path") ? await findMergekit() : undefined;
  for (const method of mergekit ? methods : []) {
    const { recipe, used } = recipeOf(method, models);
    const copies = await copySeconds(used.map(pathOf), output);
    const paths = JSON.parse(
      JSON.stringify(recipe).replaceAll(/"m(\d)"/g, `"${real}/m$1.safetensors"`),
    );
    try {
      const { seconds, peak } = await runMergekit(mergekit!, { ...paths, dtype: "bfloat16" }, real);
      const gigabytesPerSecond = size * (used.length + 1) / 1e9 / seconds;
      report({
        method,
        inputs: "mergekit",
        seconds,
        gigabytesPerSecond,
        peak,
        ratio: seconds / copies,
      });
    } catch (error) {
      console.log(
        `${method.padEnd(18)}mergekit  failed: ${error instanceof Error ? error.message : error}`,
      );
    }
  }
} finally {
  ranges.kill();
}
const json = option("json", "");
if (json !== "") {
  await Deno.writeTextFile(json, JSON.stringify({ elements, dtype, size, results }, null, 2));
}
