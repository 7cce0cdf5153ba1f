import { assert, assertEquals, assertRejects } from "@std/assert";
import { choleskyFactor, choleskySolve } from "../../core/algebra/cholesky.ts";
import { gramSvd } from "../../core/algebra/gram_svd.ts";
import { type Matrix, transpose, zeros } from "../../core/algebra/matrix.ts";
import { polarFactor } from "../../core/algebra/polar.ts";
import { engineProducts, timesGram } from "../../core/algebra/products.ts";
import { jacobiSvd } from "../../core/algebra/svd.ts";
import { onnxRuntime } from "../../core/engine/onnx_runtime.ts";
import { distance, identity, numbers, product } from "./dense.ts";

const engine = onnxRuntime();
const products = engineProducts(engine, () => Promise.resolve());

function random(rows: number, columns: number, seed: number): Matrix {
  return { rows, columns, data: numbers(rows * columns, seed) };
}

Deno.test("products are those of plain loops, turned or not, over several blocks", async () => {
  for (const [m, k, n] of [[3, 5, 2], [1, 1, 1], [520, 3, 515], [2, 1030, 7]] as const) {
    const a = random(m, k, 1);
    const b = random(k, n, 2);
    const expected = product(a, b);
    const [at, bt] = [transpose(a), transpose(b)];
    const close = (matrix: Matrix) => {
      assertEquals([matrix.rows, matrix.columns], [m, n]);
      assert(distance(matrix, expected) < 1e-13 * k);
    };
    close(await products.multiply(a, b));
    close(await products.multiply(at, b, { left: true }));
    close(await products.multiply(a, bt, { right: true }));
    close(await products.multiply(at, bt, { left: true, right: true }));
  }
});

Deno.test("Gram matrices are symmetric to the bit, over several blocks", async () => {
  for (const [m, n] of [[4, 7], [600, 3], [3, 600]] as const) {
    const a = random(m, n, 3);
    const rows = await products.gram(a);
    assert(distance(rows, product(a, transpose(a))) < 1e-13 * n);
    const columns = await products.gram(a, true);
    assert(distance(columns, product(transpose(a), a)) < 1e-13 * m);
    assertEquals(transpose(rows).data, rows.data);
    assertEquals(transpose(columns).data, columns.data);
    assert(distance(await timesGram(a, columns, products), product(a, columns)) < 1e-11 * m);
  }
});

Deno.test("a pause that throws stops a product", async () => {
  const stopped = engineProducts(engine, () => Promise.reject(new Error("Stop")));
  await assertRejects(() => stopped.multiply(random(2, 2, 1), random(2, 2, 2)), Error, "Stop");
});

Deno.test("the SVD through the Gram matrix is that of Jacobi, truncated as asked", async () => {
  for (const [rows, columns] of [[12, 30], [30, 12], [1, 6], [6, 1], [20, 20]] as const) {
    const a = random(rows, columns, 5);
    const expected = jacobiSvd(a);
    const { values, left, right } = await gramSvd(a, products);
    assertEquals(values.length, Math.min(rows, columns));
    expected.values.forEach((value, i) => assert(Math.abs(value - values[i]!) < 1e-12));
    const scaled = { ...left, data: left.data.map((x, at) => x * values[Math.floor(at / rows)]!) };
    assert(distance(product(transpose(scaled), right), a) < 1e-12);
    const two = await gramSvd(a, products, { count: 2 });
    assertEquals([two.left.rows, two.right.rows], [Math.min(2, rows, columns), two.values.length]);
    const tolerance = expected.values.at(-1)! / expected.values[0]!;
    const without = await gramSvd(a, products, { tolerance: tolerance * 1.0001 });
    assertEquals(without.values.length, Math.min(rows, columns) - 1);
    const floored = await gramSvd(a, products, { floor: expected.values[0]! * 1.0001 });
    assertEquals(floored.values.length, 0);
  }
  assertEquals((await gramSvd(zeros(3, 4), products)).values.length, 0);
});

Deno.test("a matrix of low rank has that many triplets, without noise", async () => {
  const a = product(random(40, 3, 1), random(3, 25, 2));
  assertEquals((await gramSvd(a, products)).values.length, 3);
});

Deno.test("the polar factor is U Vᵀ of the SVD; dependent rows keep their span only", async () => {
  const a = random(8, 20, 9);
  const { left, right } = jacobiSvd(a);
  const expected = product(transpose(left), right);
  assert(distance(await polarFactor(a, products), expected) < 1e-12);
  // The same row twice: each is the unit vector over √2.
  const twice: Matrix = { rows: 2, columns: 2, data: Float64Array.of(3, 4, 3, 4) };
  const { data } = await polarFactor(twice, products);
  [0.6, 0.8, 0.6, 0.8].forEach((v, i) => assert(Math.abs(data[i]! - v / Math.SQRT2) < 1e-12));
  assertEquals((await polarFactor(zeros(2, 3), products)).data, new Float64Array(6));
});

Deno.test("Cholesky solves X A = B, over several blocks, and knows what is not definite", async () => {
  for (const n of [1, 3, 256, 257, 600]) {
    const a = await products.gram(random(n, n + 5, 4));
    for (let i = 0; i < n; i++) a.data[i * (n + 1)]! += n / 10;
    const x = random(3, n, 6);
    const b = product(x, a);
    const factor = await choleskyFactor({ ...a, data: a.data.slice() }, products);
    assert(factor !== undefined);
    assert(distance(await choleskySolve(factor, b, products), x) < 1e-10, `${n}`);
  }
  const indefinite = identity(300);
  indefinite.data[299 * 301] = -1;
  assertEquals(await choleskyFactor(indefinite, products), undefined);
  assertEquals(await choleskyFactor(zeros(2, 2), products), undefined);
});
