/**
 * Decodes Parquet's run-length and bit-packing hybrid, in which levels and dictionary indices are stored.
 *
 * Written here, as hyparquet's decoder writes a run beyond the values that were asked for: a few bytes of a
 * damaged file would fill the memory.
 *
 * @module
 */

/** Part of a page: `bytes` from `at` up to `end`. */
export interface Encoded {
  readonly bytes: Uint8Array;
  readonly at: number;
  readonly end: number;
}

/**
 * Fills `out` with values of `width` bits each.
 *
 * @throws {RangeError} If the bytes end before `out` is full, or `width` is above 32.
 */
export function decodeRuns(encoded: Encoded, width: number, out: Uint8Array | Uint32Array): void {
  const { bytes, end } = encoded;
  if (width > 32) {
    throw new RangeError(`A width must be at most 32 bits: current value is ${width}`);
  }
  let { at } = encoded;
  const next = () => {
    if (at >= end) throw new RangeError(`A run ends early: current value is byte ${at}`);
    return bytes[at++]!;
  };
  for (let filled = 0; filled < out.length;) {
    let header = 0;
    let byte = 0x80;
    for (let shift = 0; byte >= 0x80; shift += 7) {
      if (shift > 28) throw new RangeError("A run's length must have at most 5 bytes");
      byte = next();
      header |= (byte & 0x7f) << shift;
    }
    const left = out.length - filled;
    if ((header & 1) === 0) {
      const count = Math.min(header >>> 1, left);
      let value = 0;
      for (let shift = 0; shift < width; shift += 8) value |= next() << shift;
      out.fill(value >>> 0, filled, filled + count);
      filled += count;
    } else {
      const count = Math.min((header >>> 1) * 8, left);
      at = unpack({ bytes, at, end }, width, out.subarray(filled, filled + count));
      filled += count;
    }
  }
}

/**
 * Reads bit-packed values, the lowest bits first; answers where they end if they are whole groups of eight,
 * which all but the last are.
 */
function unpack({ bytes, at, end }: Encoded, width: number, out: Uint8Array | Uint32Array): number {
  // The padding of the last group of eight may be missing.
  const last = at + Math.ceil(out.length * width / 8);
  if (last > end) throw new RangeError(`Packed values end early: current value is byte ${end}`);
  let bit = 0;
  for (let i = 0; i < out.length; i++) {
    let value = 0;
    for (let got = 0; got < width;) {
      const take = Math.min(8 - bit, width - got);
      value |= ((bytes[at]! >>> bit) & ((1 << take) - 1)) << got;
      got += take;
      bit += take;
      if (bit === 8) {
        bit = 0;
        at++;
      }
    }
    out[i] = value >>> 0;
  }
  return at;
}
