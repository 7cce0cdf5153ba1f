import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import fc from "fast-check";
import { type Matrix, transpose, zeros } from "../../core/algebra/matrix.ts";
import { thinQr } from "../../core/algebra/qr.ts";
import { finish } from "../../core/algebra/steps.ts";
import { jacobiSvd, singularValues } from "../../core/algebra/svd.ts";
import { symmetricEigen, symmetricEigenvalues } from "../../core/algebra/symmetric_eigen.ts";
import { distance, identity, numbers, product } from "./dense.ts";

/** The second-difference matrix, whose eigenvalues are known. */
function differences(n: number): Float64Array {
  const matrix = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    matrix[i * n + i] = 2;
    if (i > 0) matrix[i * n + i - 1] = matrix[(i - 1) * n + i] = -1;
  }
  return matrix;
}

/** `2 − 2 cos(kπ/(n + 1))`, the largest first. */
function eigenvaluesOfDifferences(n: number): number[] {
  return Array.from({ length: n }, (_, k) => 2 + 2 * Math.cos((k + 1) * Math.PI / (n + 1)));
}

function maximum(errors: Iterable<number>): number {
  return Math.max(0, ...errors);
}

Deno.test("eigenvalues of the second differences are their closed form", () => {
  for (const n of [1, 2, 3, 50, 200]) {
    const expected = eigenvaluesOfDifferences(n);
    const { values, vectors } = finish(symmetricEigen(differences(n), n));
    const alone = finish(symmetricEigenvalues(differences(n), n));
    assert(maximum(expected.map((value, i) => Math.abs(value - values[i]!))) < 1e-13 * n);
    assert(maximum(expected.map((value, i) => Math.abs(value - alone[i]!))) < 1e-13 * n);
    // The vector of the largest value is an alternating sine.
    const first = Array.from({ length: n }, (_, j) => Math.sin((j + 1) * n * Math.PI / (n + 1)));
    const length = Math.hypot(...first);
    const sign = Math.sign(first[0]! * vectors[0]!);
    assert(maximum(first.map((v, j) => Math.abs(sign * v / length - vectors[j]!))) < 1e-11);
  }
});

Deno.test("A = V diag(values) Vᵀ with orthonormal V, also where values repeat or vanish", () => {
  const n = 70;
  const random = numbers(n * n, 1);
  const cases: Record<string, (i: number, j: number) => number> = {
    random: (i, j) => random[i * n + j]! + random[j * n + i]!,
    zero: () => 0,
    identity: (i, j) => Number(i === j),
    ones: () => 1,
    graded: (i, j) => 10 ** -((i + j) / 6),
    "rank two": (i, j) => random[i]! * random[j]! + random[n + i]! * random[n + j]!,
    huge: (i, j) => 1e150 * (random[i * n + j]! + random[j * n + i]!),
    tiny: (i, j) => 1e-150 * (random[i * n + j]! + random[j * n + i]!),
  };
  for (const [name, entry] of Object.entries(cases)) {
    const matrix = zeros(n, n);
    for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) matrix.data[i * n + j] = entry(i, j);
    const { values, vectors } = finish(symmetricEigen(matrix.data.slice(), n));
    const v: Matrix = { rows: n, columns: n, data: vectors };
    const scaled = { ...v, data: vectors.map((x, at) => x * values[Math.floor(at / n)]!) };
    const scale = Math.max(Math.abs(values[0]!), Math.abs(values[n - 1]!));
    assert(distance(product(transpose(v), scaled), matrix) <= 1e-13 * scale, name);
    assert(distance(product(v, transpose(v)), identity(n)) < 1e-12, name);
    assert(values.every((value, i) => i === 0 || value <= values[i - 1]!), name);
  }
});

Deno.test("a large null space of rounding noise does not keep eigenvalues from being found", () => {
  for (const [n, rank] of [[300, 60], [256, 1], [400, 380]] as const) {
    const half = { rows: n, columns: rank, data: numbers(n * rank, n) };
    const gram = product(half, transpose(half));
    const trace = gram.data.reduce((sum, v, at) => sum + (at % (n + 1) === 0 ? v : 0), 0);
    const { values } = finish(symmetricEigen(gram.data, n, () => 0));
    assertAlmostEquals(values.reduce((sum, value) => sum + value) / trace, 1, 1e-12);
    for (const value of values.subarray(rank)) assert(Math.abs(value) < 1e-13 * values[0]!);
  }
});

Deno.test("only the wanted eigenvectors are formed, and they are those of all", () => {
  const n = 90;
  const random = numbers(n * n, 4);
  const matrix = random.map((_, at) => random[at]! + random[(at % n) * n + Math.floor(at / n)]!);
  const all = finish(symmetricEigen(Float64Array.from(matrix), n));
  const some = finish(symmetricEigen(Float64Array.from(matrix), n, (values) => {
    assertEquals(values, all.values);
    return 3;
  }));
  assertEquals(some.vectors.length, 3 * n);
  assert(maximum(some.vectors.map((value, at) => Math.abs(value - all.vectors[at]!))) < 1e-13);
});

Deno.test("thin QR: A = QR, Q orthonormal, R triangular, of any shape and rank", () => {
  const shape = fc.tuple(
    fc.integer({ min: 1, max: 9 }),
    fc.integer({ min: 1, max: 9 }),
    fc.nat(99),
  );
  fc.assert(
    fc.property(shape, fc.boolean(), ([rows, columns, seed], isSingular) => {
      const a = { rows, columns, data: numbers(rows * columns, seed) };
      // Every other column repeats the first.
      if (isSingular) {
        a.data = a.data.map((v, at) => at % columns % 2 ? a.data[at - at % columns]! : v);
      }
      const { q, r } = thinQr(a);
      const k = Math.min(rows, columns);
      assertEquals([q.rows, q.columns, r.rows, r.columns], [rows, k, k, columns]);
      assert(distance(product(q, r), a) < 1e-14);
      assert(distance(product(transpose(q), q), identity(k)) < 1e-14);
      for (let i = 0; i < k; i++) {
        for (let j = 0; j < Math.min(i, columns); j++) assertEquals(r.data[i * columns + j], 0);
      }
    }),
    { seed: 1, numRuns: 100 },
  );
});

Deno.test("Jacobi: A = Σ values·left·right, singular values of closed form", () => {
  for (const [rows, columns] of [[7, 4], [4, 7], [1, 5], [5, 1], [30, 30]] as const) {
    const a = { rows, columns, data: numbers(rows * columns, rows) };
    const { values, left, right } = jacobiSvd(a);
    const k = Math.min(rows, columns);
    const scaled = { ...left, data: left.data.map((x, at) => x * values[Math.floor(at / rows)]!) };
    assert(distance(product(transpose(scaled), right), a) < 1e-13);
    assert(distance(product(left, transpose(left)), identity(k)) < 1e-13);
    assert(distance(product(right, transpose(right)), identity(k)) < 1e-13);
  }
  // The singular values of [[1, 1], [0, e], [e, 0]] are √(2 + e²) and e.
  const e = 1e-9;
  const { values } = jacobiSvd({ rows: 3, columns: 2, data: Float64Array.of(1, 1, 0, e, e, 0) });
  assertAlmostEquals(values[0]!, Math.SQRT2, 1e-15);
  // To full relative accuracy, where the Gram matrix would not even see it.
  assertAlmostEquals(values[1]! / e, 1, 1e-6);
  const zero = jacobiSvd(zeros(3, 2));
  assertEquals([...zero.values, ...zero.left.data], Array(8).fill(0));
});

Deno.test("singular values through the Gram matrix are those of Jacobi", async () => {
  for (const [rows, columns] of [[40, 25], [25, 40], [1, 9], [9, 1]] as const) {
    const a = { rows, columns, data: numbers(rows * columns, 3) };
    const expected = jacobiSvd(a).values;
    const values = await singularValues(a.data, rows, columns);
    assertEquals(values.length, expected.length);
    assert(maximum(expected.map((v, i) => Math.abs(v - values[i]!))) < 1e-12 * expected[0]!);
  }
  // Diagonal matrices have the magnitudes of their diagonal.
  const diagonal = await singularValues(Float64Array.of(0, -3, 0, 0, 0, 2), 2, 3);
  assertEquals([...diagonal], [3, 2]);
});
