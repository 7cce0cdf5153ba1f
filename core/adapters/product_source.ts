/**
 * The dense task vector of a module as bytes that are computed when they are read.
 *
 * Every element is `fl32(scale · Σ_k b_ik·a_kj)`, summed in double precision with k ascending: what is read
 * does not depend on how it is cut.
 *
 * @module
 */
import { checkRange } from "../checkpoint/byte_range.ts";
import type { Bytes, ByteSource } from "../checkpoint/byte_source.ts";
import type { AdapterModule } from "./adapter_modules.ts";
import { readFactors, turned } from "./factors.ts";

/** Bytes of a float32 number. */
const WIDTH = 4;
/** Products that may be under way before other work passes. */
const SLICE = 1 << 24;

/** `left · right`, both row by row. */
interface Pair {
  /** `[rows, rank]`. */
  readonly left: Float32Array;
  /** `[rank, columns]`. */
  readonly right: Float32Array;
  readonly columns: number;
}

/** Keeps the factors of the modules that were read last. */
export type FactorCache = Map<string, Promise<Pair>>;

/** Modules of one adapter whose factors are kept: tensors are read with a look-ahead of two. */
const KEPT = 4;

/** Little-endian float32 numbers of `ΔW`, row by row. */
export function productSource(module: AdapterModule, cache: FactorCache): ByteSource {
  const [rows = 1, ...rest] = module.shape;
  const columns = rest.reduce((product, size) => product * size, 1);
  const byteLength = rows * columns * WIDTH;
  const fill = async (target: Bytes, start: number, signal?: AbortSignal) => {
    checkRange(start, start + target.length, byteLength, false);
    signal?.throwIfAborted();
    const pair = await factorsOf(module, cache);
    const first = Math.floor(start / WIDTH);
    const last = Math.ceil((start + target.length) / WIDTH);
    const values = new Float32Array(last - first);
    await multiply(pair, module, first, values, signal);
    const bytes = new Uint8Array(values.buffer);
    target.set(bytes.subarray(start - first * WIDTH, start - first * WIDTH + target.length));
  };
  return {
    byteLength,
    async slice(start, end, signal) {
      checkRange(start, end, byteLength, false);
      const target = new Uint8Array(end - start);
      await fill(target, start, signal);
      return target;
    },
    readInto: fill,
  };
}

/** Zeros, where an adapter changes nothing. */
export function zeroSource(byteLength: number): ByteSource {
  return {
    byteLength,
    slice(start, end) {
      return new Promise((resolve) => {
        checkRange(start, end, byteLength, false);
        resolve(new Uint8Array(end - start));
      });
    },
  };
}

/** Bytes that the kept factors of an adapter take, and what is read to make them. */
export function factorMemory(modules: readonly AdapterModule[]): number {
  const sizes = modules.map(({ a, b }) =>
    3 * WIDTH * [a, b].reduce((sum, { shape }) => sum + shape.reduce((p, size) => p * size, 1), 0)
  );
  return sizes.sort((x, y) => y - x).slice(0, KEPT).reduce((sum, size) => sum + size, 0);
}

function factorsOf(module: AdapterModule, cache: FactorCache): Promise<Pair> {
  const key = module.module;
  // Not bound to one reader's signal: several readers wait for the same factors.
  const held = cache.get(key) ?? load(module);
  cache.delete(key);
  cache.set(key, held);
  for (const oldest of cache.keys()) {
    if (cache.size <= KEPT) break;
    cache.delete(oldest);
  }
  held.catch(() => cache.delete(key));
  return held;
}

async function load(module: AdapterModule): Promise<Pair> {
  const { rank, transposed } = module;
  const { a, b } = await readFactors(module);
  if (!transposed) return { left: b, right: a, columns: a.length / rank };
  const [inputs, outputs] = [a.length / rank, b.length / rank];
  return { left: turned(a, rank, inputs), right: turned(b, outputs, rank), columns: outputs };
}

/** The elements from `first` on. */
async function multiply(
  { left, right, columns }: Pair,
  { rank, scale }: AdapterModule,
  first: number,
  values: Float32Array,
  signal: AbortSignal | undefined,
): Promise<void> {
  const sums = new Float64Array(Math.min(columns, values.length));
  let products = 0;
  for (let at = 0; at < values.length;) {
    const row = Math.floor((first + at) / columns);
    const start = (first + at) % columns;
    const count = Math.min(columns - start, values.length - at);
    sums.fill(0);
    for (let k = 0; k < rank; k++) {
      const factor = left[row * rank + k]!;
      const from = k * columns + start;
      for (let j = 0; j < count; j++) sums[j]! += factor * right[from + j]!;
    }
    for (let j = 0; j < count; j++) values[at + j] = scale * sums[j]!;
    at += count;
    products += count * rank;
    if (products < SLICE) continue;
    products = 0;
    await new Promise((next) => setTimeout(next));
    signal?.throwIfAborted();
  }
}
