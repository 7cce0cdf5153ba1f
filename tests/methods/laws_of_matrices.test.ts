import { assert, assertAlmostEquals, assertEquals, assertNotEquals } from "@std/assert";
import { type Matrix, transpose } from "../../core/algebra/matrix.ts";
import { jacobiSvd } from "../../core/algebra/svd.ts";
import type { TensorReport } from "../../core/stream/report.ts";
import { distance, numbers, product } from "../algebra/dense.ts";
import { mergeBytes } from "../support/merging.ts";
import { close, merge, type Parameters } from "./merge_vectors.ts";

const METHODS = ["tsv_m", "iso_c", "iso_cts", "wudi", "ace"] as const;
const SHAPES = [[7, 11], [11, 7], [8, 8]] as const;

/** A matrix on a dyadic grid, on which differences and powers of two are exact. */
function grid(rows: number, columns: number, seed: number): number[] {
  return [...numbers(rows * columns, seed)].map((value) => Math.round(value * 256) / 256);
}

function matrix(values: readonly number[], [rows, columns]: readonly [number, number]): Matrix {
  return { rows, columns, data: Float64Array.from(values) };
}

const plus = (a: readonly number[], b: readonly number[]) => a.map((value, i) => value + b[i]!);
const times = (a: readonly number[], factor: number) => a.map((value) => value * factor);

/** Three task vectors and a base of each shape. */
const examples = SHAPES.map((shape, i) => {
  const [rows, columns] = shape;
  const deltas = [1, 2, 3].map((seed) => grid(rows, columns, seed + 10 * i));
  return { shape, base: grid(rows, columns, 99), deltas };
});

/** Merges task vectors over a base of zeros: the result is λ·M. */
function mergeDeltas(
  method: string,
  shape: readonly [number, number],
  deltas: readonly (readonly number[])[],
  parameters: Parameters = {},
  weights: readonly number[] = [],
): Promise<number[]> {
  const perModel = deltas.map((_, i) => ({ weight: weights[i] ?? 1 }));
  return merge(method, times(deltas[0]!, 0), deltas, perModel, parameters, { shape });
}

Deno.test("matrices: permuting the models, shifting all inputs, scaling lambda", async () => {
  for (const { shape, base, deltas } of examples) {
    const models = deltas.map((delta) => plus(base, delta));
    const given = [{ weight: 1 }, { weight: 0.5 }, { weight: -0.75 }];
    for (const method of METHODS) {
      const merged = await merge(method, base, models, given, {}, { shape });
      const turned = [2, 0, 1];
      close(
        await merge(method, base, turned.map((i) => models[i]!), turned.map((i) => given[i]!), {}, {
          shape,
        }),
        merged,
        1e-6,
      );
      const shift = (values: readonly number[]) => values.map((value) => value + 4);
      const shifted = await merge(method, shift(base), models.map(shift), given, {}, { shape });
      close(shifted, shift(merged), 2e-6);
      const scaled = await merge(method, base, models, given, { lambda: -2.5 }, { shape });
      close(scaled, base.map((b, i) => b - 2.5 * (merged[i]! - b)), 1e-5);
    }
  }
});

Deno.test("matrices: scaling all inputs scales the result, but for ace, whose eps is absolute", async () => {
  for (const { shape, deltas } of examples) {
    for (const method of METHODS.filter((name) => name !== "ace")) {
      const merged = await mergeDeltas(method, shape, deltas);
      for (const factor of [2 ** -20, 8, 2 ** 30]) {
        const scaled = await mergeDeltas(method, shape, deltas.map((d) => times(d, factor)));
        close(times(scaled, 1 / factor), merged, 1e-6);
      }
    }
  }
});

Deno.test("matrices: turning rows and columns turns the result of the SVD methods", async () => {
  /** A reflection, which is orthogonal. */
  const reflection = (n: number, seed: number): Matrix => {
    const v = numbers(n, seed);
    const square = v.reduce((sum, value) => sum + value * value, 0);
    const data = Float64Array.from(
      { length: n * n },
      (_, at) => Number(at % (n + 1) === 0) - 2 * v[at % n]! * v[Math.floor(at / n)]! / square,
    );
    return { rows: n, columns: n, data };
  };
  for (const { shape, deltas } of examples) {
    const [p, q] = [reflection(shape[0], 5), reflection(shape[1], 6)];
    const turn = (values: readonly number[]) => [
      ...product(product(p, matrix(values, shape)), q).data,
    ];
    for (const method of ["tsv_m", "iso_c", "iso_cts", "wudi"]) {
      const merged = await mergeDeltas(method, shape, deltas);
      close(await mergeDeltas(method, shape, deltas.map(turn)), turn(merged), 2e-5);
    }
  }
});

Deno.test("tsv_m and wudi: one model comes back; iso_c and iso_cts flatten it", async () => {
  for (const { shape, base, deltas } of examples) {
    const model = plus(base, deltas[0]!);
    for (const method of ["tsv_m", "wudi"]) {
      assertEquals(await merge(method, base, [model], [], {}, { shape }), model);
      // Not by a short cut: the weight is undone by lambda.
      const merged = await mergeDeltas(method, shape, [deltas[0]!], { lambda: 3 }, [0.5]);
      close(merged, times(deltas[0]!, 1.5), 1e-6);
    }
    for (const method of ["iso_c", "iso_cts"]) {
      assertNotEquals(await merge(method, base, [model], [], {}, { shape }), model);
    }
  }
});

Deno.test("tsv_m: task vectors on rows and columns of their own add up, without interference", async () => {
  const shape = [6, 8] as const;
  const inside = (row: number, column: number, seed: number) => {
    const values = grid(6, 8, seed);
    return values.map((value, at) => {
      const [i, j] = [Math.floor(at / 8) - row, at % 8 - column];
      return i >= 0 && i < 3 && j >= 0 && j < 4 ? value : 0;
    });
  };
  const deltas = [inside(0, 0, 1), inside(3, 4, 2)];
  const reports: TensorReport[] = [];
  const tensor = (values: readonly number[]) => ({ w: { shape, values } });
  await mergeBytes(
    { merge_method: "tsv_m", base_model: "z", models: [{ model: "a" }, { model: "b" }] },
    { z: tensor(times(deltas[0]!, 0)), a: tensor(deltas[0]!), b: tensor(deltas[1]!) },
    { onTensor: (report) => reports.push(report) },
  );
  assertAlmostEquals(Number(reports[0]!.statistics!.sti), 0, 1e-10);
  assertEquals(reports[0]!.statistics!.ranks, [3, 3]);
  close(await mergeDeltas("tsv_m", shape, deltas), plus(deltas[0]!, deltas[1]!), 1e-6);
});

Deno.test("tsv_m: equal models give the truncation of their task vector", async () => {
  for (const { shape, deltas } of examples) {
    const { values, left, right } = jacobiSvd(matrix(deltas[0]!, shape));
    const kept = Math.floor(Math.min(...shape) / 3);
    const scaled = {
      ...left,
      data: left.data.map((x, at) => {
        const l = Math.floor(at / left.columns);
        return l < kept ? x * values[l]! : 0;
      }),
    };
    const expected = [...product(transpose(scaled), right).data];
    const equal = [deltas[0]!, deltas[0]!, deltas[0]!];
    close(await mergeDeltas("tsv_m", shape, equal), expected, 1e-6);
  }
});

Deno.test("iso_c: equal singular values, the nuclear norm of the sum, and its rank", async () => {
  for (const { shape, deltas } of examples) {
    const total = deltas.reduce(plus);
    const before = jacobiSvd(matrix(total, shape)).values;
    const merged = await mergeDeltas("iso_c", shape, deltas);
    const after = jacobiSvd(matrix(merged, shape)).values;
    const nuclear = before.reduce((sum, value) => sum + value);
    for (const value of after) assertAlmostEquals(value, nuclear / before.length, 1e-5);
    close(await mergeDeltas("iso_c", shape, deltas, {}, [2, 2, 2]), times(merged, 2), 1e-5);
  }
  // A sum of rank 1 keeps it: nothing fills the null space.
  const ones = Array(20).fill(0.5);
  close(await mergeDeltas("iso_c", [4, 5], [ones, ones]), times(ones, 2), 1e-6);
  assertEquals(await mergeDeltas("iso_c", [4, 5], [ones, times(ones, -1)]), Array(20).fill(0));
});

Deno.test("iso_cts: all common is iso_c; else all singular values are equal, too", async () => {
  for (const { shape, deltas } of examples) {
    assertEquals(
      await mergeDeltas("iso_cts", shape, deltas, { common_fraction: 1 }),
      await mergeDeltas("iso_c", shape, deltas),
    );
    for (const common_fraction of [0, 0.5, 0.8]) {
      const merged = await mergeDeltas("iso_cts", shape, deltas, { common_fraction });
      const { values } = jacobiSvd(matrix(merged, shape));
      assertEquals(values.length, Math.min(...shape));
      for (const value of values) assertAlmostEquals(value, values[0]!, 1e-5);
    }
  }
});

Deno.test("wudi: task vectors with orthogonal rows add up for any ridge; equal ones stay", async () => {
  const shape = [3, 6] as const;
  const half = (start: number, seed: number) =>
    grid(3, 6, seed).map((value, at) => at % 6 >= start && at % 6 < start + 3 ? value : 0);
  const deltas = [half(0, 1), half(3, 2)];
  for (const ridge of [0, 1e-9, 1e-3, 10]) {
    close(await mergeDeltas("wudi", shape, deltas, { ridge }), plus(deltas[0]!, deltas[1]!), 2e-6);
  }
  for (const example of examples) {
    const [delta] = example.deltas as [number[]];
    close(await mergeDeltas("wudi", example.shape, [delta, delta], { ridge: 0 }), delta, 1e-5);
    close(await mergeDeltas("wudi", example.shape, [delta, delta], { ridge: 1e-7 }), delta, 1e-4);
  }
});

Deno.test("wudi: without ridge the gradient of the loss vanishes, below the sum's and the mean's loss", async () => {
  for (const { shape, deltas } of examples) {
    const tasks = deltas.map((delta) => matrix(delta, shape));
    const differences = (tau: readonly number[]) =>
      tasks.map((task) => matrix(plus(tau, times([...task.data], -1)), shape));
    const square = ({ data }: Matrix) => data.reduce((sum, value) => sum + value * value, 0);
    const loss = (tau: readonly number[]) =>
      differences(tau).reduce(
        (sum, d, i) => sum + square(product(d, transpose(tasks[i]!))) / square(tasks[i]!),
        0,
      );
    const merged = await mergeDeltas("wudi", shape, deltas, { ridge: 0 });
    const gradient = differences(merged).map((d, i) => {
      const gram = product(transpose(tasks[i]!), tasks[i]!);
      return times([...product(d, gram).data], 1 / square(tasks[i]!));
    }).reduce(plus);
    const zero = { rows: shape[0], columns: shape[1], data: new Float64Array(gradient.length) };
    assert(distance(matrix(gradient, shape), zero) < 1e-5);
    const sum = deltas.reduce(plus);
    assert(loss(merged) <= loss(sum));
    assert(loss(merged) <= loss(times(sum, 1 / 3)));
  }
});

Deno.test("ace: equal inputs are homogeneous, whatever their scale", async () => {
  for (const factor of [1e-6, 1, 1e3]) {
    const reports: TensorReport[] = [];
    const values = times(grid(4, 5, 1), factor);
    const tensor = (values: readonly number[]) => ({ w: { shape: [4, 5], values } });
    await mergeBytes(
      {
        merge_method: "ace",
        base_model: "z",
        models: [{ model: "a" }, { model: "b" }],
        experimental: true,
      },
      { z: tensor(times(values, 0)), a: tensor(values), b: tensor(values) },
      { onTensor: (report) => reports.push(report) },
    );
    assertEquals(reports[0]!.statistics, { spread: 0 });
  }
});
