import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { workerPool } from "../../core/engine/pool.ts";
import type { TensorReport } from "../../core/stream/report.ts";
import {
  checkpointBytes,
  checkpointValues,
  mergeBytes,
  type TestCheckpoint,
  type TestMergeOptions,
} from "../support/merging.ts";

async function run(
  recipe: Record<string, unknown>,
  checkpoints: Record<string, TestCheckpoint>,
  options: TestMergeOptions = {},
) {
  const names = Object.keys(checkpoints).filter((name) => name !== "base");
  const document = { base_model: "base", models: names.map((model) => ({ model })), ...recipe };
  const files = Object.fromEntries(
    Object.entries(checkpoints).map(([name, tensors]) => [name, checkpointBytes(tensors)]),
  );
  return await checkpointValues(await mergeBytes(document, files, options));
}

const of = (values: Record<string, Float32Array>) =>
  Object.fromEntries(Object.entries(values).map(([name, list]) => [name, [...list]]));

const TIES = { merge_method: "ties", parameters: { density: 0.5, trim_scope: "model" } };

Deno.test("ties ranks over all tensors: a tensor may lose everything and another nothing", async () => {
  const base = { a: [0, 0, 0, 0], b: [0, 0, 0, 0] };
  const model = { a: [1, 2, 3, 4], b: [50, 60, 70, 80] };
  assertEquals(of(await run(TIES, { base, m: model })), { a: [0, 0, 0, 0], b: [50, 60, 70, 80] });
  const inside = { ...TIES, parameters: { density: 0.5 } };
  assertEquals(of(await run(inside, { base, m: model })), { a: [0, 0, 3, 4], b: [0, 0, 70, 80] });
});

Deno.test("ties: of equal magnitudes the first by tensor name and index stay", async () => {
  const ones = (count: number) => new Array<number>(count).fill(1);
  // Safetensors order the file by size and name; the order of the model is that of names alone.
  const model = { z: ones(4), b: ones(6000), a: ones(3000) };
  const base = { z: ones(4).map(() => 0), b: ones(6000).map(() => 0), a: ones(3000).map(() => 0) };
  const kept = await run(TIES, { base, m: model });
  const count = (name: string) => kept[name]!.reduce((sum, value) => sum + value, 0);
  assertEquals([count("a"), count("b"), count("z")], [3000, 1502, 0]);
  assert(kept.b!.slice(0, 1502).every((value) => value === 1));
  const pool = workerPool(2);
  const other = await run(TIES, { base, m: model }, { executor: pool, chunkElements: 1024 });
  assertEquals(of(other), of(kept));
  await pool.close();
});

Deno.test("ties: densities of their own per model and tensor are ranks in one order", async () => {
  const base = { a: [0, 0, 0, 0], b: [0, 0, 0, 0] };
  const model = { a: [1, 3, 5, 7], b: [2, 4, 6, 8] };
  const parameters = {
    trim_scope: "model",
    density: [{ filter: "a", value: 0.25 }, { value: 0.75 }],
  };
  // Ranks 1 and 2 of eight in a, ranks 1 to 6 in b.
  assertEquals(
    of(await run({ merge_method: "ties", parameters }, { base, m: model })),
    { a: [0, 0, 0, 7], b: [0, 4, 6, 8] },
  );
  const dense = { trim_scope: "model", density: [{ filter: "a", value: 1 }, { value: 0.5 }] };
  assertEquals(
    of(await run({ merge_method: "ties", parameters: dense }, { base, m: model })),
    { a: [1, 3, 5, 7], b: [0, 0, 6, 8] },
  );
});

Deno.test("emr: gamma is that of the whole model, and the report tells it", async () => {
  const base = { a: [0, 0], b: [0, 0] };
  const models = { m: { a: [1, 2], b: [0, 1] }, n: { a: [3, -1], b: [0, 4] } };
  const reports: TensorReport[] = [];
  const recipe = { merge_method: "emr", parameters: { task: "m" } };
  const merged = await run(recipe, { base, ...models }, {
    onTensor: (report) => reports.push(report),
  });
  // M = (3, 2), (0, 4); the task's sum of magnitudes is 4, that of the masked M is 9.
  assertAlmostEquals(merged.a![0]!, 3 * 4 / 9, 1e-6);
  assertAlmostEquals(merged.b![1]!, 4 * 4 / 9, 1e-6);
  assertEquals(reports.map(({ statistics }) => statistics), [{ gamma: 4 / 9 }, { gamma: 4 / 9 }]);
});

Deno.test("pcb competes over all tensors unless it is told otherwise", async () => {
  const base = { a: [0, 0, 0, 0], b: [0, 0, 0, 0] };
  const model = { a: [0.1, 0.2, 0.3, 0.4], b: [0.5, 0.6, 0.7, 0.8] };
  const parameters = { ratio: 0.25, lambda: 1, clip: 0 };
  const whole = await run({ merge_method: "pcb", parameters }, { base, m: model });
  // The element ⌊8·0.75⌋ = 6 is the threshold itself and scores 0: only the largest is left.
  assertEquals(of(whole), { a: [0, 0, 0, 0], b: [0, 0, 0, Math.fround(0.8)] });
  const inside = {
    merge_method: "pcb",
    parameters: { ...parameters, scope: "tensor", ratio: 0.5 },
  };
  assertEquals(
    of(await run(inside, { base, m: model })),
    { a: [0, 0, 0, Math.fround(0.4)], b: [0, 0, 0, Math.fround(0.8)] },
  );
});

Deno.test("tensors that keep the base's values because of NaN are not ranked", async () => {
  const base = { a: [0, 0], b: [0, 0], c: [0, 0] };
  const model = { a: [1, 4], b: [NaN, 9], c: [2, 3] };
  for (const chunkElements of [4096, 8192]) {
    const recipe = { ...TIES, non_finite: "base" };
    assertEquals(
      of(await run(recipe, { base, m: model }, { chunkElements })),
      { a: [0, 4], b: [0, 0], c: [0, 3] },
    );
  }
});

Deno.test("models that lack a tensor count with the rest of theirs", async () => {
  const base = { a: [0, 0], b: [0, 0] };
  const models = { m: { a: [1, 4], b: [2, 3] }, n: { b: [5, 6] } };
  const recipe = {
    ...TIES,
    models: [{ model: "m" }, { model: "n", parameters: { density: 0.5 } }],
    missing: "drop",
  };
  // m keeps 4 and 3 of four elements, n keeps 6 of two.
  assertEquals(
    of(await run(recipe, { base, ...models })),
    { a: [0, 4], b: [0, 4.5] },
  );
  const task = { merge_method: "emr", parameters: { task: "n" }, missing: "drop" };
  const merged = of(await run(task, { base, ...models }));
  assertEquals(merged, { a: [0, 0], b: [5, 6] });
});
