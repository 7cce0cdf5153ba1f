import { assert, assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { workerPool } from "../../core/engine/pool.ts";
import { Problem } from "../../core/problem.ts";
import type { TensorReport } from "../../core/stream/report.ts";
import {
  checkpointBytes,
  checkpointValues,
  mergeBytes,
  type TestCheckpoint,
  type TestMergeOptions,
} from "../support/merging.ts";
import { close, runs } from "./merge_vectors.ts";

interface Merges {
  readonly weights: number[];
  readonly models: { w: number[][]; b: number[]; free: number[] }[];
  readonly grams: number[][][];
  readonly regmean: {
    alpha: number;
    ridge: number;
    augment: { w: number[][]; b: number[] };
    mean: { w: number[][] };
  }[];
}

const merges: Merges = JSON.parse(await Deno.readTextFile("fixtures/statistics/merges.json"));

/** Matrices as a statistics file; a float32 file would round them. */
function statistics(
  gram: readonly (readonly number[])[],
  { shape = [gram.length, gram.length], layer = {}, kind = "gram", name = "w" }: {
    shape?: number[];
    layer?: Record<string, unknown>;
    kind?: string;
    name?: string;
  } = {},
): Uint8Array {
  const header = {
    __metadata__: {
      kind: "statistics",
      "amalgam.statistics": JSON.stringify({
        kind,
        rows: 300,
        layers: { [name]: { axis: 1, rows: 300, ...layer } },
      }),
    },
    [name]: { dtype: "F64", shape, data_offsets: [0, 8 * gram.flat().length] },
  };
  const json = new TextEncoder().encode(JSON.stringify(header));
  const bytes = new Uint8Array(8 + json.length + 8 * gram.flat().length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  bytes.set(new Uint8Array(Float64Array.from(gram.flat()).buffer), 8 + json.length);
  return bytes;
}

type Matrix = readonly (readonly number[])[];

const tensor = (rows: Matrix): TestCheckpoint => ({
  w: { shape: [rows.length, rows[0]!.length], values: rows.flat() },
});

/** Merges the matrix `w` of several models. */
async function merge(
  models: readonly Matrix[],
  grams: readonly Matrix[],
  weights: readonly number[] = models.map(() => 1),
  parameters: Record<string, unknown> = {},
  options: TestMergeOptions = {},
): Promise<number[]> {
  const values = await checkpointValues(
    await mergeBytes(
      {
        merge_method: "regmean",
        models: models.map((_, i) => ({
          model: `m${i}`,
          statistics: `s${i}`,
          parameters: { weight: weights[i] },
        })),
        parameters,
      },
      {
        ...Object.fromEntries(models.map((rows, i) => [`m${i}`, tensor(rows)])),
        ...Object.fromEntries(grams.map((gram, i) => [`s${i}`, statistics(gram)])),
      },
      options,
    ),
  );
  return [...values.w!];
}

for (const { alpha, ridge, augment, mean } of merges.regmean) {
  for (const axis of [0, 1]) {
    for (const bias of ["augment", "mean"] as const) {
      const name = `alpha ${alpha}, ridge ${ridge}, bias ${bias}, axis ${axis}`;
      Deno.test(`regmean is numpy's solution of the normal equations: ${name}`, async () => {
        const turned = (rows: number[][]) =>
          axis === 1 ? rows : rows[0]!.map((_, k) => rows.map((row) => row[k]!));
        const sources: Record<string, TestCheckpoint | Uint8Array> = {};
        merges.models.forEach(({ w, b, free }, i) => {
          const stored = turned(w);
          sources[`m${i}`] = {
            w: { shape: [stored.length, stored[0]!.length], values: stored.flat() },
            b,
            free,
          };
          sources[`s${i}`] = statistics(merges.grams[i]!, { layer: { axis, bias: "b" } });
        });
        const bytes = await mergeBytes({
          merge_method: "regmean",
          models: merges.models.map((_, i) => ({
            model: `m${i}`,
            statistics: `s${i}`,
            parameters: { weight: merges.weights[i] },
          })),
          parameters: { alpha, ridge, bias },
        }, sources);
        const values = await checkpointValues(bytes);
        const total = merges.weights.reduce((sum, weight) => sum + weight, 0);
        const meanOf = (key: "b" | "free") =>
          merges.models[0]![key].map((_, j) =>
            merges.models.reduce((sum, each, i) => sum + each[key][j]! * merges.weights[i]!, 0) /
            total
          );
        close([...values.w!], turned(bias === "augment" ? augment.w : mean.w).flat(), 1e-6, "w");
        close([...values.b!], bias === "augment" ? augment.b : meanOf("b"), 1e-6, "b");
        close([...values.free!], meanOf("free"), 1e-6, "free");
      });
    }
  }
}

const entry = fc.integer({ min: -8, max: 8 }).map((value) => value / 8);
const matrix = (rows: number, columns: number) =>
  fc.array(fc.array(entry, { minLength: columns, maxLength: columns }), {
    minLength: rows,
    maxLength: rows,
  });
const identity = [0, 1, 2].map((i) => [0, 1, 2].map((j) => Number(i === j)));

/** The mean of x xᵀ over rows, made regular. */
function gramOf(rows: Matrix): number[][] {
  return identity.map((unit, i) =>
    unit.map((one, j) =>
      rows.reduce((sum, row) => sum + row[i]! * row[j]!, 0) / rows.length + one / 16
    )
  );
}

Deno.test("regmean: one model, equal models, order, shifts, homogeneity, common factors", async () => {
  await fc.assert(
    fc.asyncProperty(matrix(2, 3), matrix(2, 3), matrix(4, 3), matrix(4, 3), async (a, b, x, z) => {
      const [f, g] = [gramOf(x), gramOf(z)];
      const flat = a.flat().map(Math.fround);
      assertEquals(await merge([a], [f], [0.5]), flat);
      assertEquals(await merge([a, a], [f, g], [0.5, 2]), flat);
      const y = await merge([a, b], [f, g], [0.5, 1]);
      close(await merge([b, a], [g, f], [1, 0.5]), y, 1e-6);
      const times = (rows: Matrix, factor: number) => rows.map((row) => row.map((v) => v * factor));
      const plus = (rows: Matrix, c: number) => rows.map((row) => row.map((v) => v + c));
      close(await merge([times(a, 4), times(b, 4)], [f, g], [0.5, 1]), y.map((v) => 4 * v), 4e-6);
      close(await merge([plus(a, 2), plus(b, 2)], [f, g], [0.5, 1]), y.map((v) => v + 2), 4e-6);
      close(await merge([a, b], [times(f, 1024), times(g, 1024)], [0.5, 1]), y, 1e-6);
      close(await merge([a, b], [f, g], [8, 16]), y, 1e-6);
      close(await merge([a, b], [f, g], [1, 0], { ridge: 0 }), flat, 1e-6);
    }),
    runs,
  );
});

Deno.test("regmean: identities are the weighted mean, and so are matrices of nothing", async () => {
  const [a, b] = [[[1, 2, 3], [4, 5, 6]], [[0, -2, 8], [1, 1, 1]]];
  const mean = a.flat().map((v, i) => (v + 3 * b.flat()[i]!) / 4);
  const zero = identity.map((row) => row.map(() => 0));
  for (const alpha of [0, 0.5, 1]) {
    close(await merge([a, b], [identity, identity], [1, 3], { alpha }), mean);
    close(await merge([a, b], [zero, zero], [1, 3], { alpha }), mean);
  }
});

Deno.test("regmean: the task that holds all the data gives its weight", async () => {
  const [a, b] = [[[1, 2, 3], [4, 5, 6]], [[0, -2, 8], [1, 1, 1]]];
  const full = gramOf([[1, 0.5, -1], [2, 1, 0], [0, 1, 1]]);
  const zero = identity.map((row) => row.map(() => 0));
  close(await merge([a, b], [full, zero], [1, 1], { ridge: 1e-12, alpha: 1 }), a.flat());
  close(await merge([a, b], [zero, full], [1, 1], { ridge: 1e-12, alpha: 1 }), b.flat());
});

Deno.test("regmean minimises the regression error where alpha is 1 and ridge 0", async () => {
  const [a, b] = [[[1, 2, 3]], [[0, -2, 8]]];
  const [x, z] = [[[1, 0.5, -1], [2, 1, 0], [0, 1, 1]], [[0, 1, 2], [1, 1, 0], [-1, 0, 3]]];
  const plain = (rows: Matrix) =>
    identity.map((_, i) =>
      identity.map((_, j) => rows.reduce((sum, row) => sum + row[i]! * row[j]!, 0) / rows.length)
    );
  const w = await merge([a, b], [plain(x), plain(z)], [3, 3], { alpha: 1, ridge: 0 });
  const error = (weights: readonly number[]) => {
    const of = (rows: Matrix, expert: Matrix) =>
      rows.reduce((sum, row) => {
        const gap = row.reduce((s, v, k) => s + v * (weights[k]! - expert[0]![k]!), 0);
        return sum + gap * gap;
      }, 0);
    return of(x, a) + of(z, b);
  };
  const least = error(w);
  for (let k = 0; k < 3; k++) {
    for (const step of [-1e-3, 1e-3]) {
      assert(error(w.map((v, i) => i === k ? v + step : v)) > least);
    }
  }
});

Deno.test("regmean: a singular matrix without a ridge is solved with the least that works", async () => {
  const [a, b] = [[[1, 2, 3]], [[0, -2, 8]]];
  const rank = identity.map((row) => row.map(() => 1));
  const reports: TensorReport[] = [];
  const w = await merge([a, b], [rank, rank], [1, 1], { alpha: 1, ridge: 0 }, {
    onTensor: (report) => reports.push(report),
  });
  close(w, [0.5, 0, 5.5], 1e-3);
  const { ridge, condition } = reports[0]!.statistics as { ridge: number; condition: number };
  assert(ridge > 0 && ridge < 1e-6, `${ridge}`);
  assert(condition > 1e6, `${condition}`);
});

Deno.test("regmean: groups of a convolution are solved apart", async () => {
  const grams = [[[2, 0.5], [0.5, 1]], [[1, -0.25], [-0.25, 4]]];
  const other = [[[1, 0], [0, 3]], [[2, 1], [1, 2]]];
  const [a, b] = [[[1, 2], [3, 4], [5, 6], [7, 8]], [[0, 1], [-1, 2], [2, 2], [1, 0]]];
  const values = await checkpointValues(
    await mergeBytes(
      {
        merge_method: "regmean",
        models: [{ model: "a", statistics: "sa" }, { model: "b", statistics: "sb" }],
      },
      {
        a: { w: { shape: [4, 1, 2], values: a.flat() } },
        b: { w: { shape: [4, 1, 2], values: b.flat() } },
        sa: statistics(grams.flat(), { shape: [2, 2, 2] }),
        sb: statistics(other.flat(), { shape: [2, 2, 2] }),
      },
    ),
  );
  const parts = [0, 1].map((g) =>
    merge([a.slice(2 * g, 2 * g + 2), b.slice(2 * g, 2 * g + 2)], [grams[g]!, other[g]!])
  );
  close([...values.w!], (await Promise.all(parts)).flat());
});

Deno.test("regmean: task vectors are merged as the weights that they stand for", async () => {
  const [base, a, b] = [[[1, 1, 2]], [[1, 2, 3]], [[0, -2, 8]]];
  const [f, g] = [gramOf([[1, 0.5, -1], [2, 1, 0]]), gramOf([[0, 1, 1]])];
  const vector = (rows: Matrix) =>
    checkpointBytes(tensor(rows.map((row) => row.map((v, k) => v - base[0]![k]!))), {
      kind: "task_vector",
    });
  const expected = await merge([a, b], [f, g]);
  for (const first of [vector(a), tensor(a)]) {
    const values = await checkpointValues(
      await mergeBytes({
        merge_method: "regmean",
        base_model: "base",
        models: [{ model: "a", statistics: "sa" }, { model: "b", statistics: "sb" }],
      }, {
        base: tensor(base),
        a: first,
        b: vector(b),
        sa: statistics(f),
        sb: statistics(g),
      }),
    );
    close([...values.w!], expected);
  }
});

Deno.test("regmean: matrices and weights that are not as they should be are refused by name", async () => {
  const rows = [[1, 2, 3]];
  const good = gramOf([[1, 0.5, -1]]);
  const cases: [Matrix, Matrix, string][] = [
    [rows, good.map((row, i) => row.map((v, j) => i + j === 0 ? -1 : v)), "s1"],
    [rows, good.map((row, i) => row.map((v, j) => i + j === 1 ? NaN : v)), "s1"],
    [[[1, Infinity, 3]], good, "m1"],
  ];
  for (const [model, gram, source] of cases) {
    const problem = await assertRejects(() => merge([rows, model], [good, gram]), Problem);
    assertEquals([problem.kind, problem.members.source], ["non-finite", source]);
  }
  const wrong = await assertRejects(() => merge([rows, rows], [[[1]], [[1]]]), Problem);
  assertEquals(wrong.kind, "invalid-recipe");
  assert(wrong.message.includes("must be [in, in] for a weight of shape [1, 3]"), wrong.message);
});

Deno.test("regmean: few rows are noted, and the bytes do not depend on chunks or workers", async () => {
  const noise = (count: number, seed: number) =>
    Array.from({ length: count }, (_, i) => Math.sin(i * seed + seed));
  const model = (seed: number): TestCheckpoint => ({
    w: { shape: [90, 60], values: noise(5400, seed) },
    free: noise(9000, seed + 1),
  });
  const gram = (seed: number) => {
    const x = Array.from({ length: 80 }, (_, r) => noise(60, seed + r / 7));
    return x[0]!.map((_, i) =>
      x[0]!.map((_, j) => x.reduce((sum, row) => sum + row[i]! * row[j]!, 0) / 80)
    );
  };
  const sources = {
    a: model(1.1),
    b: model(1.7),
    sa: statistics(gram(0.3), { layer: { rows: 255 } }),
    sb: statistics(gram(0.9)),
  };
  const recipe = {
    merge_method: "regmean",
    models: [{ model: "a", statistics: "sa" }, { model: "b", statistics: "sb" }],
    out_dtype: "float16",
  };
  const reports: TensorReport[] = [];
  const onTensor = (report: TensorReport) => reports.push(report);
  const whole = await mergeBytes(recipe, sources, { chunkElements: 65536, onTensor });
  assertEquals(await mergeBytes(recipe, sources, { chunkElements: 4096 }), whole);
  const executor = workerPool(2);
  try {
    assertEquals(await mergeBytes(recipe, sources, { chunkElements: 8192, executor }), whole);
  } finally {
    await executor.close();
  }
  const found = reports.find(({ name }) => name === "w")!;
  assertEquals(found.reasons, ["few-rows"]);
  assert(Number(found.statistics!.condition) > 1);
  assertEquals(reports.find(({ name }) => name === "free")!.reasons, ["no-statistics"]);
});
