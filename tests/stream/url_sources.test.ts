import { assertEquals, assertRejects } from "@std/assert";
import { createSegmentMemory, type SegmentMemory } from "../../core/checkpoint/segment_memory.ts";
import { inlineExecutor, workerPool } from "../../core/engine/pool.ts";
import { caughtProblem } from "../support/caught_problem.ts";
import { checkpointBytes, mergeBytes, type TestCheckpoint } from "../support/merging.ts";
import type { SpillFile } from "../../core/checkpoint/spill.ts";
import type { RangeServerOptions } from "../support/range_server.ts";
import { type UrlSourceOptions, withUrlSources } from "../support/url_sources.ts";

const values = (count: number, seed: number) =>
  Array.from({ length: count }, (_, at) => Math.sin(at * (seed + 1)) * (1 + at % 7));
/** Tensors of several chunks and segments, many small ones, one element type after the other, an odd header. */
const CHECKPOINTS: Record<string, TestCheckpoint> = Object.fromEntries(
  ["base", "a", "b"].map((name, i) => [name, {
    large: { dtype: "BF16", values: values(60_001, i) },
    wide: { dtype: "F32", values: values(30_003, i + 3) },
    half: { dtype: "F16", values: values(9001, i + 6) },
    ...Object.fromEntries(
      Array.from({ length: 40 }, (_, at) => [`small.${at}`, values(at + 1, i + at)]),
    ),
  }]),
);
const FILES = Object.fromEntries(
  Object.entries(CHECKPOINTS).map(([name, tensors], i) => [
    name,
    // The bytes of each file lie differently to the words of memory.
    checkpointBytes(tensors, { odd: "x".repeat(i) }),
  ]),
);
const MODELS = [{ model: "a", parameters: { weight: 0.5 } }, {
  model: "b",
  parameters: { weight: 0.3 },
}];
const RECIPES = {
  linear: {
    merge_method: "linear",
    models: [{ model: "base" }, ...MODELS],
    parameters: { weight: 1 },
  },
  ties: { merge_method: "ties", base_model: "base", models: MODELS, parameters: { density: 0.4 } },
  model_stock: {
    merge_method: "model_stock",
    base_model: "base",
    models: [{ model: "a" }, { model: "b" }],
  },
  della: {
    merge_method: "della",
    base_model: "base",
    models: MODELS,
    parameters: { density: 0.5, epsilon: 0.1 },
  },
};
const SIZE = 8192;
const memoryOf = (shared: boolean) => createSegmentMemory({ size: SIZE, shared });

/** Ends once no segment is lent any more. */
async function givenBack({ lent }: SegmentMemory): Promise<void> {
  for (let turn = 0; lent() > 0 && turn < 5000; turn++) {
    await new Promise((go) => setTimeout(go, 1));
  }
  assertEquals(lent(), 0);
}

/** A disk in memory. */
function openMemory(): Promise<SpillFile> {
  const places = new Map<number, Uint8Array>();
  return Promise.resolve({
    write: (place, bytes) => Promise.resolve(void places.set(place, bytes.slice())),
    read: (place, target) =>
      Promise.resolve(target.set(places.get(place)!.subarray(0, target.length))),
    close: () => places.clear(),
  });
}

/** How sources are read, and by how many threads. */
const WAYS: readonly (UrlSourceOptions & { readonly shared: boolean; readonly workers: number })[] =
  [
    { shared: true, workers: 2, thread: true },
    { shared: true, workers: 2, thread: true, early: 12, budget: 6 * SIZE },
    { shared: true, workers: 1, budget: 4 * SIZE },
    {
      shared: true,
      workers: 1,
      early: 5,
      budget: 4 * SIZE,
      spill: { open: openMemory, limit: 1e9 },
    },
    { shared: true, workers: 2, budget: 4 * SIZE, spill: { open: openMemory, limit: 1e9 } },
    { shared: true, workers: 0, budget: 20 * SIZE },
    { shared: false, workers: 2, early: 4 },
    { shared: false, workers: 0, budget: 4 * SIZE },
    { shared: true, workers: 1, platform: true },
  ];

Deno.test("merges by URL give what files give: any method, threads, memory and budget", async () => {
  const expected = Object.fromEntries(
    await Promise.all(
      Object.entries(RECIPES).map(async ([name, recipe]) =>
        [name, await mergeBytes(recipe, FILES)] as const
      ),
    ),
  );
  for (const { shared, workers, ...options } of WAYS) {
    const executor = workers === 0 ? inlineExecutor() : workerPool(workers);
    try {
      for (const [name, recipe] of Object.entries(RECIPES)) {
        const memory = memoryOf(shared);
        await withUrlSources({ ...options, memory, least: 10_000 }, async ({ open }) => {
          const merged = await mergeBytes(recipe, FILES, { executor, open });
          assertEquals(merged, expected[name], `${name} ${JSON.stringify({ shared, workers })}`);
        });
        await givenBack(memory);
      }
    } finally {
      await executor.close();
    }
  }
});

Deno.test("where there is room, in memory or on a disk, every byte is asked for once, in all passes", async () => {
  const whole = 8 * Object.values(FILES).reduce((sum, { length }) => sum + length, 0);
  const disk = { open: openMemory, limit: 1e9 };
  for (const room of [{ budget: whole }, { budget: 24 * SIZE, spill: disk, early: 12 }]) {
    const options = { ...room, memory: memoryOf(true), least: 10_000 };
    await withUrlSources(options, async ({ open, servers }) => {
      await mergeBytes(RECIPES.ties, FILES, { open });
      for (const { ranges } of servers.values()) {
        const starts = ranges.map((range) => Number(/^bytes=(\d+)-/.exec(range)![1]));
        // The first request is that of the header.
        assertEquals(new Set(starts.slice(1)).size, starts.length - 1);
      }
    });
  }
});

Deno.test("a source that changes or fails in mid-stream is told, and all memory is given back", async () => {
  const faults: Record<string, RangeServerOptions> = {
    changed: { etag: (request) => request < 20 ? '"one"' : '"two"' },
    failing: { fail: (request) => request >= 20 },
    short: { truncate: (request) => request >= 20 ? 10 : undefined },
  };
  for (const [name, fault] of Object.entries(faults)) {
    const executor = workerPool(1);
    const memory = memoryOf(true);
    try {
      await withUrlSources({
        memory,
        least: 10_000,
        serve: (file) => file === "a" ? fault : {},
      }, async ({ open }) => {
        const problem = await caughtProblem(() =>
          mergeBytes(RECIPES.ties, FILES, { executor, open })
        );
        assertEquals(problem.kind, "upstream", name);
      });
    } finally {
      await executor.close();
    }
    await givenBack(memory);
  }
});

Deno.test("an aborted merge gives all memory back, whatever is under way", async () => {
  for (const after of [12, 16, 20, 24]) {
    const memory = memoryOf(true);
    const executor = workerPool(1);
    const controller = new AbortController();
    const { signal } = controller;
    // The first nine are for the header, and the next ones while it is read; the twentieth hangs until it is given up.
    const hang = (request: number) => {
      if (request === after) controller.abort(new Error("enough"));
      return request === 20 ? "body" : undefined;
    };
    try {
      await withUrlSources(
        { memory, least: 10_000, signal, serve: () => ({ hang }) },
        async ({ open }) => {
          const merged = mergeBytes(RECIPES.ties, FILES, { executor, open, signal });
          await assertRejects(() => merged, Error, "enough");
        },
      );
      // A job that a thread works on holds what it reads until it has answered.
      await givenBack(memory);
    } finally {
      await executor.close();
    }
  }
});
