/**
 * QR of a tall matrix block by block, so that other work may pass and blocks stay inside the cache
 * (Demmel, Grigori, Hoemmen, Langou 2012, arXiv 0808.2664, with a tree of one level).
 *
 * @module
 */
import { type Matrix, zeros } from "../algebra/matrix.ts";
import { thinQr } from "../algebra/qr.ts";
import type { Pause } from "../algebra/steps.ts";

/** A factored matrix `A = Q·R`. */
export interface TallQr {
  /** `[k, columns]`, k the smaller of rows and columns. */
  readonly r: Matrix;
  /** `Q·M` for a matrix `[k, n]`: `[rows, n]`. */
  readonly times: (matrix: Matrix) => Promise<Matrix>;
}

/** Rows of a block, at least twice the columns. */
const ROWS = 1024;

/** Factors a matrix; it is left as it is. */
export async function tallQr(matrix: Matrix, pause: Pause): Promise<TallQr> {
  const { rows, columns } = matrix;
  const height = Math.max(ROWS, 2 * columns);
  const blocks: Matrix[] = [];
  const heads: Matrix[] = [];
  for (let top = 0; top < rows; top += height) {
    await pause();
    const { q, r } = thinQr(part(matrix, top, Math.min(height, rows - top)));
    blocks.push(q);
    heads.push(r);
  }
  if (blocks.length === 1) {
    return { r: heads[0]!, times: async (m) => (await pause(), product(blocks[0]!, m)) };
  }
  await pause();
  const { q, r } = thinQr(stacked(heads));
  return {
    r,
    async times(m) {
      const result = zeros(rows, m.columns);
      const inner = product(q, m);
      let [top, from] = [0, 0];
      for (const block of blocks) {
        await pause();
        const { data } = product(block, part(inner, from, block.columns));
        result.data.set(data, top * m.columns);
        top += block.rows;
        from += block.columns;
      }
      return result;
    },
  };
}

/** Some rows, in the same memory. */
function part({ columns, data }: Matrix, top: number, rows: number): Matrix {
  return { rows, columns, data: data.subarray(top * columns, (top + rows) * columns) };
}

function stacked(parts: readonly Matrix[]): Matrix {
  const { columns } = parts[0]!;
  const whole = zeros(parts.reduce((sum, { rows }) => sum + rows, 0), columns);
  let at = 0;
  for (const { data } of parts) {
    whole.data.set(data, at);
    at += data.length;
  }
  return whole;
}

/** `left · right`, sums with ascending index. */
function product(left: Matrix, right: Matrix): Matrix {
  const result = zeros(left.rows, right.columns);
  const n = right.columns;
  for (let i = 0; i < left.rows; i++) {
    const to = i * n;
    for (let k = 0; k < left.columns; k++) {
      const factor = left.data[i * left.columns + k]!;
      if (factor === 0) continue;
      for (let j = 0; j < n; j++) result.data[to + j]! += factor * right.data[k * n + j]!;
    }
  }
  return result;
}
