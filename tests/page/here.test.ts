import { assert, assertEquals, assertMatch } from "@std/assert";
import type { DType } from "../../core/tensor/dtype.ts";
import { checkpointBytes, checkpointValues } from "../support/merging.ts";
import { methodRecipe, MODEL_NAMES, PLAIN_METHODS } from "../support/method_recipes.ts";
import { type Browsing, browsing } from "./support/browsing.ts";
import { ask, giveFiles, jsonOf, storedFiles } from "./support/here.ts";

/** What float32 on a GPU may differ by, relative to the largest value. */
const TOLERANCE = 2e-6;
const THINNED = ["ties", "dare_ties", "dare_linear", "della", "della_linear", "breadcrumbs"];

function checkpoint(seed: number, dtype: DType, rows = 96): Uint8Array<ArrayBuffer> {
  let state = seed * 2654435761 >>> 0;
  const next = () => (state = Math.imul(state, 1664525) + 1013904223 >>> 0) / 2 ** 32 - 0.5;
  return checkpointBytes(Object.fromEntries(
    ["layers.0.w", "layers.1.w", "embed.w"].map((name) => [name, {
      dtype,
      shape: [rows, 64],
      values: Array.from({ length: rows * 64 }, next),
    }]),
  ));
}

function checkpoints(dtype: DType, rows?: number): Record<string, Uint8Array<ArrayBuffer>> {
  const names = ["base", ...MODEL_NAMES];
  return Object.fromEntries(names.map((name, i) => [name, checkpoint(i + 1, dtype, rows)]));
}

function recipeOf(method: string): Record<string, unknown> {
  const recipe = methodRecipe(method) as { models: { parameters: object }[] };
  const models = recipe.models.map((model) => ({
    ...model,
    parameters: { ...model.parameters, ...(THINNED.includes(method) ? { density: 0.4 } : {}) },
  }));
  return { ...recipe, models };
}

function namesIn(recipe: Record<string, unknown>): string[] {
  const named = (recipe.models as { model: string }[]).map(({ model }) => model);
  return recipe.base_model === undefined ? named : ["base", ...named];
}

/** The bytes that the service answers, asked without the browser. */
async function served(
  app: Browsing["app"],
  recipe: Record<string, unknown>,
  files: Readonly<Record<string, Uint8Array<ArrayBuffer>>>,
): Promise<Uint8Array> {
  const body = new FormData();
  body.append("recipe", new Blob([JSON.stringify(recipe)], { type: "application/json" }));
  for (const name of namesIn(recipe)) body.append(name, new Blob([files[name]!]), name);
  const answer = await app.request("/merge", { method: "POST", body });
  assertEquals(answer.status, 200);
  return await answer.bytes();
}

const mergeOf = (place: "auto" | "wasm" | "webgpu", recipe: Record<string, unknown>) => ({
  place,
  method: "POST",
  path: "/merge",
  document: { part: "recipe", value: recipe },
  files: namesIn(recipe),
} as const);

Deno.test("every method gives in the browser the bytes of the service, and copies no file", async (t) => {
  await browsing({}, async ({ page, app }) => {
    const files = checkpoints("F32");
    await giveFiles(page, files);
    for (const method of PLAIN_METHODS) {
      await t.step(method, async () => {
        const recipe = recipeOf(method);
        const here = await ask(page, mergeOf("auto", recipe));
        assertEquals(here.problem, undefined);
        assertEquals(here.bytes, await served(app, recipe, files));
      });
    }
    assertEquals(await storedFiles(page), []);
  });
});

for (const dtype of ["BF16", "F16"] as const) {
  Deno.test(`files of ${dtype} give the bytes of the service, on both engines of the processor`, async () => {
    await browsing({}, async ({ page, app }) => {
      const files = checkpoints(dtype);
      await giveFiles(page, files);
      for (const method of ["linear", "ties", "dare_ties", "della", "slerp"]) {
        const recipe = recipeOf(method);
        const there = await served(app, recipe, files);
        for (const engine of ["auto", "wasm"] as const) {
          const { problem, bytes } = await ask(page, mergeOf(engine, recipe));
          assertEquals(problem, undefined);
          assertEquals(bytes, there, `${method} on ${engine}`);
        }
      }
    });
  });
}

Deno.test("WebGPU merges within its tolerance, and the adapter is told", async () => {
  await browsing({ webgpu: true, expected: /WebGPU|adapter/i }, async ({ page, app }) => {
    const files = checkpoints("F32");
    await giveFiles(page, files);
    const engine = jsonOf(await ask(page, { place: "webgpu", path: "/engine" })) as {
      readonly name: string;
      readonly adapter?: string;
      readonly width: number;
    };
    const { width, ...chosen } = engine;
    assert(width >= 1);
    assertEquals(engine.name, "webgpu");
    assertMatch(engine.adapter ?? "", /swiftshader/i);
    for (const method of ["linear", "ties", "dare_ties", "slerp"]) {
      const recipe = recipeOf(method);
      const told = await ask(page, mergeOf("webgpu", recipe));
      assertEquals(told.problem, undefined);
      const [ours, theirs] = await Promise.all(
        [told.bytes, await served(app, recipe, files)].map(checkpointValues),
      );
      for (const [name, values] of Object.entries(theirs!)) {
        const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
        const worst = values.reduce(
          (most, value, i) => Math.max(most, Math.abs(value - ours![name]![i]!)),
          0,
        );
        assert(worst <= TOLERANCE * largest, `${method}: ${name} differs by ${worst}`);
      }
      const path = /<([^>]+)>/.exec(told.headers.link ?? "")![1]!;
      const report = jsonOf(await ask(page, { place: "webgpu", path }));
      assertEquals(
        (report as { engine: { name: string; fallback?: string } }).engine,
        chosen,
        "the GPU was given up",
      );
    }
  });
});

Deno.test("without an adapter the reason is told, and the processor gives the same bytes", async () => {
  await browsing({ expected: /adapter/i }, async ({ page, app }) => {
    const files = checkpoints("F32");
    await giveFiles(page, files);
    const status = jsonOf(await ask(page, { place: "webgpu", path: "/here" })) as {
      readonly asked: string;
      readonly lasting: boolean;
      readonly engine: { readonly name: string; readonly fallback: string };
    };
    assertEquals([status.asked, status.engine.name, status.lasting], ["webgpu", "fused", true]);
    assertMatch(status.engine.fallback, /^no-adapter: /);
    const recipe = recipeOf("dare_ties");
    const { bytes } = await ask(page, mergeOf("webgpu", recipe));
    assertEquals(bytes, await served(app, recipe, files));
  });
});

Deno.test("the digest of a file is taken once, and its progress told", async () => {
  await browsing({}, async ({ page }) => {
    const files = checkpoints("F32");
    await giveFiles(page, files);
    let hashing = 0;
    page.on("worker", (worker) => hashing += Number(worker.url().endsWith("/hash.js")));
    const recipe = recipeOf("linear");
    const total = namesIn(recipe).reduce((bytes, name) => bytes + files[name]!.length, 0);
    for (let run = 0; run < 2; run++) {
      const { sent } = await ask(page, mergeOf("auto", recipe));
      assertEquals(sent.at(-1), [total, total]);
      assertEquals(hashing, namesIn(recipe).length);
    }
  });
});

Deno.test("failures are the service's problem documents", async () => {
  await browsing({}, async ({ page }) => {
    await giveFiles(page, checkpoints("F32"));
    const cases: [Record<string, unknown>, readonly string[], string][] = [
      [{ ...recipeOf("ties"), merge_method: "tiez" }, ["base"], "unknown-method"],
      [recipeOf("ties"), ["base", "a"], "unknown-source"],
      [
        { ...recipeOf("linear"), sources: { a: { url: "https://models.example/a.safetensors" } } },
        ["b", "c"],
        "forbidden-source",
      ],
    ];
    for (const [value, files, kind] of cases) {
      const { problem } = await ask(page, {
        ...mergeOf("auto", recipeOf("ties")),
        document: { part: "recipe", value },
        files,
      });
      assertEquals(problem?.type, `/problems/${kind}`);
    }
    const { problem } = await ask(page, { place: "auto", path: "/nothing" });
    assertEquals([problem?.type, problem?.status], ["/problems/not-found", 404]);
  });
});

Deno.test("a checkpoint that the service keeps is read from the page's own origin", async () => {
  await browsing({}, async ({ page, app, origin }) => {
    const files = checkpoints("F32");
    await giveFiles(page, files);
    const kept = await app.request("/checkpoints", { method: "POST", body: files.a! });
    const { id } = await kept.json();
    const recipe = {
      ...recipeOf("linear"),
      sources: { a: { url: `${origin}/checkpoints/${id}` } },
    };
    const told = await ask(page, {
      ...mergeOf("auto", recipe),
      files: namesIn(recipe).filter((name) => name !== "a"),
    });
    assertEquals(told.problem, undefined);
    const there = await checkpointValues(await served(app, recipeOf("linear"), files));
    assertEquals(await checkpointValues(told.bytes), there);
  });
});

Deno.test("a merge that is given up frees what it reads", async () => {
  await browsing({}, async ({ page }) => {
    await giveFiles(page, { a: checkpoint(1, "F32", 10_000), b: checkpoint(2, "F32", 10_000) });
    const keep = (bytes: string) =>
      ask(page, { place: "auto", method: "POST", path: "/checkpoints", bytes });
    const { id } = jsonOf(await keep("a")) as { id: string };
    const path = `/checkpoints/${id}`;
    const begun = await page.evaluate(async ({ id }) => {
      const scope = globalThis as unknown as {
        sends: { auto(request: unknown): Promise<Response> };
        reader: ReadableStreamDefaultReader<Uint8Array>;
        controller: AbortController;
      };
      const file = [...document.querySelector<HTMLInputElement>("#given")!.files!]
        .find(({ name }) => name === "b");
      const answer = await scope.sends.auto({
        method: "POST",
        path: "/merge",
        document: {
          part: "recipe",
          value: {
            merge_method: "linear",
            models: [{ model: "a" }, { model: "b" }],
            sources: { a: { checkpoint: id } },
          },
        },
        files: new Map([["b", file]]),
      });
      scope.reader = answer.body!.getReader();
      return (await scope.reader.read()).value!.length;
    }, { id });
    assert(begun > 0);
    const busy = await ask(page, { place: "auto", method: "DELETE", path });
    assertEquals(busy.problem?.type, "/problems/conflict");
    // Another tab, with a worker of its own, is told the same.
    const other = await page.context().newPage();
    await other.goto(page.url());
    const there = await ask(other, { place: "auto", method: "DELETE", path });
    assertEquals(there.problem?.type, "/problems/conflict");
    await page.evaluate(() =>
      (globalThis as unknown as { reader: ReadableStreamDefaultReader }).reader.cancel()
    );
    for (;;) {
      const gone = await ask(other, { place: "auto", method: "DELETE", path });
      if (gone.status === 204) break;
      assertEquals(gone.problem?.type, "/problems/conflict");
    }
    assertEquals(await storedFiles(page), []);
  });
});

Deno.test("a request that is aborted rejects with its reason", async () => {
  await browsing({}, async ({ page }) => {
    await giveFiles(page, { a: checkpoint(1, "F32"), b: checkpoint(2, "F32") });
    await ask(page, { place: "auto", path: "/here" });
    const reasons = await page.evaluate(async () => {
      const { sends } = globalThis as unknown as {
        sends: { auto(request: unknown): Promise<Response> };
      };
      const reasons: unknown[] = [];
      for (const late of [false, true]) {
        const controller = new AbortController();
        if (!late) controller.abort("before");
        const answer = sends.auto({ method: "GET", path: "/methods", signal: controller.signal });
        if (late) controller.abort("meanwhile");
        reasons.push(await answer.then(() => "answered", (reason) => reason));
      }
      return reasons;
    });
    assertEquals(reasons, ["before", "meanwhile"]);
  });
});

Deno.test("two tabs at once keep, list and remove in one store", async () => {
  await browsing({}, async ({ page, context }) => {
    const other = await context.newPage();
    await other.goto(page.url());
    const files = Object.fromEntries(
      [1, 2, 3, 4, 5, 6].map((seed) => [`m${seed}`, checkpoint(seed, "BF16")]),
    );
    const tabs = [page, other];
    for (const tab of tabs) await giveFiles(tab, files);
    const kept = await Promise.all(
      tabs.flatMap((tab) =>
        Object.keys(files).map(async (bytes) =>
          jsonOf(
            await ask(tab, { place: "auto", method: "POST", path: "/checkpoints", bytes }),
          ) as {
            id: string;
          }
        )
      ),
    );
    const ids = [...new Set(kept.map(({ id }) => id))].sort();
    assertEquals(ids.length, 6);
    for (const tab of tabs) {
      const { checkpoints } = jsonOf(await ask(tab, { place: "auto", path: "/checkpoints" })) as {
        checkpoints: { id: string }[];
      };
      assertEquals(checkpoints.map(({ id }) => id), ids);
    }
    for (const id of ids) {
      const { bytes } = await ask(other, { place: "auto", path: `/checkpoints/${id}` });
      const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
      assertEquals(`sha256:${digest.toHex()}`, id);
    }
    const removed = await Promise.all(
      tabs.flatMap((tab) =>
        ids.map(async (id) =>
          (await ask(tab, { place: "auto", method: "DELETE", path: `/checkpoints/${id}` })).status
        )
      ),
    );
    // Each was removed once; the other tab found nothing.
    assertEquals(removed.toSorted(), [...ids.map(() => 204), ...ids.map(() => 404)]);
    assertEquals(await storedFiles(page), []);
  });
});

Deno.test("a job keeps its files with its request, and gives the bytes of the service", async () => {
  await browsing({}, async ({ page, app }) => {
    const files = checkpoints("F32");
    await giveFiles(page, files);
    const recipe = recipeOf("ties");
    const headers = { prefer: "respond-async" };
    const { id } = jsonOf(await ask(page, { ...mergeOf("auto", recipe), headers })) as {
      id: string;
    };
    for (;;) {
      const job = jsonOf(await ask(page, { place: "auto", path: `/jobs/${id}` })) as {
        state: string;
        problem: unknown;
        result: { checkpoint: { id: string } };
      };
      if (job.state === "queued" || job.state === "running") continue;
      assertEquals([job.state, job.problem], ["done", null]);
      const path = `/checkpoints/${job.result.checkpoint.id}`;
      const { bytes } = await ask(page, { place: "auto", path });
      assertEquals(bytes, await served(app, recipe, files));
      return;
    }
  });
});
