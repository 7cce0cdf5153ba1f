/**
 * Matrix products in double precision on the engine, block by block, so that the engine's memory stays small.
 *
 * The cut into blocks depends on the shapes alone, so equal matrices give equal bits.
 *
 * @module
 */
import type { Engine } from "../engine/engine.ts";
import { createGraph } from "../onnx/graph_builder.ts";
import { type Matrix, zeros } from "./matrix.ts";
import type { Pause } from "./steps.ts";

/** Which factors are turned before they are multiplied. */
export interface Turned {
  readonly left?: boolean;
  readonly right?: boolean;
}

/** What multiplies matrices. */
export interface Products {
  /** `A·B`, with rows and columns of either exchanged if it is `turned`. */
  multiply(a: Matrix, b: Matrix, turned?: Turned): Promise<Matrix>;
  /** `A·Aᵀ`, or `Aᵀ·A` with `turned`; half the work, and exactly symmetric. */
  gram(a: Matrix, turned?: boolean): Promise<Matrix>;
  /** Is awaited between other steps of long work; throws to stop it. */
  readonly pause: Pause;
}

/** Rows, columns and length of a block: one product takes about 30 ms. */
const BLOCK = 512;

/**
 * Products on an engine.
 *
 * @param pause Is awaited between blocks; what it throws, every product throws.
 */
export function engineProducts(engine: Pick<Engine, "run">, pause: Pause): Products {
  const product = async (
    a: Matrix,
    b: Matrix,
    { left = false, right = false }: Turned,
    symmetric: boolean,
  ): Promise<Matrix> => {
    const [rows, inner] = left ? [a.columns, a.rows] : [a.rows, a.columns];
    const columns = right ? b.rows : b.columns;
    const result = zeros(rows, columns);
    const key = `products:${Number(left)}${Number(right)}`;
    for (const [top, height] of cuts(rows)) {
      for (const [start, width] of cuts(columns)) {
        if (symmetric && start > top) break;
        for (const [from, length] of cuts(inner)) {
          await pause();
          const x = left ? part(a, from, length, top, height) : part(a, top, height, from, length);
          const y = right
            ? part(b, start, width, from, length)
            : part(b, from, length, start, width);
          const { c } = await engine.run(key, () => productGraph(left, right), {
            a: { type: "float64", shape: [x.rows, x.columns], data: x.data },
            b: { type: "float64", shape: [y.rows, y.columns], data: y.data },
          });
          addPart(result, c!.data as Float64Array, top, height, start, width);
        }
      }
    }
    if (symmetric) mirror(result);
    return result;
  };
  return {
    multiply: (a, b, turned = {}) => product(a, b, turned, false),
    gram: (a, turned = false) => product(a, a, { left: turned, right: !turned }, true),
    pause,
  };
}

/** `A·(AᵀA)`, whichever way takes fewer products; `gram` is AᵀA. */
export async function timesGram(a: Matrix, gram: Matrix, products: Products): Promise<Matrix> {
  if (a.rows >= a.columns) return await products.multiply(a, gram);
  return await products.multiply(await products.gram(a), a);
}

function productGraph(left: boolean, right: boolean): Uint8Array {
  const graph = createGraph("product");
  const a = graph.input("a", "float64", ["a0", "a1"]);
  const b = graph.input("b", "float64", ["b0", "b1"]);
  const attributes = { transA: Number(left), transB: Number(right) };
  graph.output(graph.node("Gemm", [a, b], attributes), "c", "float64", ["m", "n"]);
  return graph.serialize();
}

function* cuts(size: number): Generator<[start: number, count: number]> {
  for (let start = 0; start < size; start += BLOCK) yield [start, Math.min(BLOCK, size - start)];
}

function part(
  matrix: Matrix,
  top: number,
  rows: number,
  start: number,
  columns: number,
): Matrix {
  if (columns === matrix.columns) {
    return { rows, columns, data: matrix.data.subarray(top * columns, (top + rows) * columns) };
  }
  const block = zeros(rows, columns);
  for (let i = 0; i < rows; i++) {
    const at = (top + i) * matrix.columns + start;
    block.data.set(matrix.data.subarray(at, at + columns), i * columns);
  }
  return block;
}

function addPart(
  { columns, data }: Matrix,
  block: Float64Array,
  top: number,
  rows: number,
  start: number,
  width: number,
): void {
  for (let i = 0; i < rows; i++) {
    const at = (top + i) * columns + start;
    for (let j = 0; j < width; j++) data[at + j]! += block[i * width + j]!;
  }
}

/** Copies the lower triangle to the upper one. */
function mirror({ rows: n, data }: Matrix): void {
  for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) data[j * n + i] = data[i * n + j]!;
}
