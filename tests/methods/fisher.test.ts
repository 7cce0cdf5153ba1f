import { assert, assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { Problem } from "../../core/problem.ts";
import { workerPool } from "../../core/engine/pool.ts";
import {
  checkpointValues,
  mergeBytes,
  mergeValues,
  type TestCheckpoint,
} from "../support/merging.ts";
import { close, runs, vector, weight } from "./merge_vectors.ts";

interface Merges {
  readonly weights: number[];
  readonly models: { w: number[][]; b: number[]; free: number[] }[];
  readonly fishers: { w: number[][]; b: number[] }[];
  readonly fisher: {
    normalize: boolean;
    eps: number;
    merged: { w: number[][]; b: number[]; free: number[] };
  }[];
}

const merges: Merges = JSON.parse(await Deno.readTextFile("fixtures/statistics/merges.json"));

/** Merges vectors `w` by Fisher values. */
async function merge(
  models: readonly (readonly number[])[],
  fishers: readonly (readonly number[])[],
  weights: readonly number[] = models.map(() => 1),
  parameters: Record<string, unknown> = {},
): Promise<number[]> {
  return await mergeValues({
    merge_method: "fisher",
    models: models.map((_, i) => ({
      model: `m${i}`,
      statistics: `f${i}`,
      parameters: { weight: weights[i] },
    })),
    parameters,
  }, {
    ...Object.fromEntries(models.map((values, i) => [`m${i}`, { w: { values } }])),
    ...Object.fromEntries(fishers.map((values, i) => [`f${i}`, { w: { values } }])),
  });
}

/** A recipe over the fixture's models, and its checkpoints. */
function fixtureRecipe(parameters: Record<string, unknown>) {
  const tensor = (values: number[] | number[][]) => ({
    shape: Array.isArray(values[0]) ? [values.length, values[0].length] : [values.length],
    values: values.flat(),
  });
  const sources: Record<string, TestCheckpoint> = {};
  merges.models.forEach(({ w, b, free }, i) => {
    sources[`m${i}`] = { w: tensor(w), b: tensor(b), free: tensor(free) };
  });
  merges.fishers.forEach(({ w, b }, i) => sources[`f${i}`] = { w: tensor(w), b: tensor(b) });
  return {
    sources,
    recipe: {
      merge_method: "fisher",
      models: merges.models.map((_, i) => ({
        model: `m${i}`,
        statistics: `f${i}`,
        parameters: { weight: merges.weights[i] },
      })),
      parameters,
    },
  };
}

for (const { normalize, eps, merged } of merges.fisher) {
  Deno.test(`fisher is numpy's with normalize_fisher ${normalize} and eps ${eps}`, async () => {
    const { recipe, sources } = fixtureRecipe({ normalize_fisher: normalize, eps });
    const values = await checkpointValues(await mergeBytes(recipe, sources));
    for (const name of ["w", "b", "free"] as const) {
      close([...values[name]!], merged[name].flat(), 1e-6, name);
    }
  });
}

const values = fc.array(fc.integer({ min: 0, max: 16 }).map((value) => value / 16), {
  minLength: 24,
  maxLength: 24,
});

Deno.test("fisher: one model, equal models, order, homogeneity and shifts", async () => {
  await fc.assert(
    fc.asyncProperty(vector, vector, values, values, weight, async (a, b, f, g, w) => {
      assertEquals(await merge([a], [f], [w]), a.map(Math.fround));
      assertEquals(await merge([a, a], [f, g], [w, 1]), a.map(Math.fround));
      const y = await merge([a, b], [f, g], [w, 1]);
      close(await merge([b, a], [g, f], [1, w]), y, 1e-6);
      const scaled = await merge([a.map((v) => 4 * v), b.map((v) => 4 * v)], [f, g], [w, 1]);
      close(scaled, y.map((v) => 4 * v), 1e-6);
      const shifted = await merge([a.map((v) => v + 2), b.map((v) => v + 2)], [f, g], [w, 1]);
      close(shifted, y.map((v) => v + 2), 1e-6);
      y.forEach((v, i) => {
        assert(v >= Math.min(a[i]!, b[i]!) - 1e-6 && v <= Math.max(a[i]!, b[i]!) + 1e-6);
      });
    }),
    runs,
  );
});

Deno.test("fisher: constant values are the weighted mean, and a common factor cancels", async () => {
  await fc.assert(
    fc.asyncProperty(vector, vector, values, values, weight, async (a, b, f, g, w) => {
      const constant = a.map(() => 0.25);
      const mean = a.map((v, i) => (w * v + b[i]!) / (w + 1));
      close(await merge([a, b], [constant, constant], [w, 1]), mean, 1e-6);
      const zero = a.map(() => 0);
      close(await merge([a, b], [zero, zero], [w, 1]), mean, 1e-6);
      for (const normalize_fisher of [true, false]) {
        const y = await merge([a, b], [f, g], [w, 1], { normalize_fisher });
        const both = [f, g].map((each) => each.map((v) => v * 2 ** 20));
        close(await merge([a, b], both, [w, 1], { normalize_fisher }), y, 1e-6);
      }
    }),
    runs,
  );
});

Deno.test("fisher: where only one model has values, that model is the result", async () => {
  const [a, b, zero, some] = [[1, -2, 3], [5, 5, 5], [0, 0, 0], [1, 2, 0.5]];
  const tiny = { eps: 1e-30, normalize_fisher: false };
  close(await merge([a, b], [some, zero], [1, 1], tiny), a, 1e-6);
  close(await merge([a, b], [zero, some], [1, 1], tiny), b, 1e-6);
});

Deno.test("fisher: norms are those of the whole model", async () => {
  const one = { w: [1, 1], v: [0, 0] };
  const recipe = {
    merge_method: "fisher",
    models: [{ model: "a", statistics: "fa" }, { model: "b", statistics: "fb" }],
    parameters: { eps: 1e-12 },
  };
  const sources = {
    a: one,
    b: { w: [0, 0], v: [1, 1] },
    fa: { w: [3, 3], v: [4, 4] },
    fb: { w: [1, 1], v: [0, 0] },
  };
  // The norms are √50 and √2, so the shares of w are 3/√50 and 1/√2.
  const share = 3 / Math.sqrt(50) / (3 / Math.sqrt(50) + 1 / Math.sqrt(2));
  close(await mergeValues(recipe, sources), [share, share], 1e-6);
});

Deno.test("fisher: negative values and values that are not finite are refused by name", async () => {
  for (const bad of [-1e-9, NaN, Infinity]) {
    for (const non_finite of ["error", "base", "propagate"]) {
      const recipe = { merge_method: "fisher", models: models("a", "b"), non_finite };
      const sources = {
        a: { w: [1, 2] },
        b: { w: [3, 4] },
        fa: { w: [1, 1] },
        fb: { w: [1, bad] },
      };
      const problem = await assertRejects(() => mergeValues(recipe, sources), Problem);
      assertEquals(problem.kind, "non-finite");
      assertEquals(problem.members.source, "fb");
      assertEquals(problem.members.index, 1);
    }
  }
});

Deno.test("fisher: the bytes depend neither on the chunk size nor on the number of workers", async () => {
  const long = (seed: number) =>
    Array.from({ length: 30_000 }, (_, i) => Math.fround(Math.sin(i * seed) + 1));
  const sources = {
    a: { w: long(1.1), v: long(0.7) },
    b: { w: long(1.3), v: long(0.9) },
    fa: { w: long(1.7), v: long(2.3) },
    fb: { w: long(1.9), v: long(0.3) },
  };
  const recipe = { merge_method: "fisher", models: models("a", "b"), out_dtype: "bfloat16" };
  const whole = await mergeBytes(recipe, sources, { chunkElements: 65536 });
  assertEquals(await mergeBytes(recipe, sources, { chunkElements: 4096 }), whole);
  const executor = workerPool(2);
  try {
    assertEquals(await mergeBytes(recipe, sources, { chunkElements: 8192, executor }), whole);
  } finally {
    await executor.close();
  }
});

function models(...names: string[]) {
  return names.map((model) => ({ model, statistics: `f${model}` }));
}

Deno.test("fisher: a model that lacks a tensor still has the norm of its whole model", async () => {
  const sources = {
    a: { w: [1], v: [4] },
    b: { w: [2], v: [8] },
    c: { w: [6] },
    fa: { w: [3], v: [4] },
    fb: { w: [12], v: [5] },
    fc: { w: [2] },
  };
  const recipe = {
    merge_method: "fisher",
    models: models("a", "b", "c"),
    missing: "drop",
    parameters: { eps: 1e-12 },
  };
  const values = await checkpointValues(await mergeBytes(recipe, sources));
  // The norms are 5, 13 and 2.
  const [a, b, c] = [3 / 5, 12 / 13, 1];
  close([...values.w!], [(a * 1 + b * 2 + c * 6) / (a + b + c)], 1e-6);
  close([...values.v!], [(4 / 5 * 4 + 5 / 13 * 8) / (4 / 5 + 5 / 13)], 1e-6);
});

Deno.test("fisher: extreme values neither vanish nor overflow, in any type of output", async () => {
  for (const scale of [2 ** -140, 2 ** -60, 1, 2 ** 120]) {
    const sources = {
      a: { w: [1, 2, 60000] },
      b: { w: [3, -2, 65504] },
      fa: { w: [3 * scale, 0, scale] },
      fb: { w: [scale, 2 * scale, scale] },
    };
    for (const out_dtype of ["float32", "float16", "bfloat16"]) {
      const recipe = {
        merge_method: "fisher",
        models: models("a", "b"),
        out_dtype,
        parameters: { normalize_fisher: false, eps: 1e-9 },
      };
      const values = await checkpointValues(await mergeBytes(recipe, sources));
      const unit = { float32: 2 ** -24, float16: 2 ** -11, bfloat16: 2 ** -8 }[out_dtype]!;
      [1.5, -2, 62752].forEach((exact, i) =>
        assert(Math.abs(values.w![i]! - exact) <= Math.abs(exact) * (unit + 1e-7), `${scale} ${i}`)
      );
    }
  }
});
