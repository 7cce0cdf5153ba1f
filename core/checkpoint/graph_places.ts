/**
 * Where the tensors of a result go in a graph, and how their bytes are turned for it.
 *
 * @module
 */
import { DTYPES } from "../tensor/dtype.ts";
import type { Bytes } from "./byte_source.ts";
import type { PlacedTensor } from "./write_safetensors.ts";

/** An initializer that a tensor becomes. */
export interface GraphPlace {
  readonly initializer: string;
  /** The shape that the initializer has. */
  readonly shape: readonly number[];
  /** Whether rows become columns. */
  readonly transposed: boolean;
}

/** The initializers of every tensor by its name; a tensor that has none is left out. */
export type GraphPlaces = ReadonlyMap<string, readonly GraphPlace[]>;

/** Every tensor becomes the initializer of its name. */
export function placesByName(tensors: readonly PlacedTensor[]): GraphPlaces {
  return new Map(
    tensors.map(({ name, shape }) => [name, [{ initializer: name, shape, transposed: false }]]),
  );
}

/** Whether a tensor must be held in memory as a whole on its way: it is turned, or written more than once. */
export function isHeld(places: readonly GraphPlace[]): boolean {
  return places.length > 1 || places.some(({ transposed }) => transposed);
}

/** The bytes of a matrix with rows and columns exchanged. */
export function transposed(bytes: Bytes, { dtype, shape }: PlacedTensor): Bytes {
  const [rows = 0, columns = 0] = shape;
  const size = DTYPES[dtype].bytes;
  const out = new Uint8Array(bytes.length);
  const { buffer } = bytes;
  if (size === 8) {
    exchange(new BigUint64Array(buffer), new BigUint64Array(out.buffer), rows, columns);
  } else {
    const Elements = { 1: Uint8Array, 2: Uint16Array, 4: Uint32Array }[size];
    exchange<number>(new Elements(buffer), new Elements(out.buffer), rows, columns);
  }
  return out;
}

/** Side of the blocks that are exchanged at once, so that both sides stay in the processor's cache. */
const BLOCK = 32;

function exchange<T>(
  from: { readonly [index: number]: T },
  into: { [index: number]: T },
  rows: number,
  columns: number,
): void {
  for (let top = 0; top < rows; top += BLOCK) {
    const bottom = Math.min(top + BLOCK, rows);
    for (let left = 0; left < columns; left += BLOCK) {
      const right = Math.min(left + BLOCK, columns);
      for (let row = top; row < bottom; row++) {
        for (let column = left; column < right; column++) {
          into[column * rows + row] = from[row * columns + column]!;
        }
      }
    }
  }
}
