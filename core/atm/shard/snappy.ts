/**
 * Decompresses Snappy, the usual compression of Parquet pages (format_description.txt of google/snappy).
 *
 * Written here, as hyparquet's decompressor does not end on some damaged lengths.
 *
 * @module
 */

/**
 * Decompresses a block.
 *
 * @param length Bytes that must come out.
 * @throws {RangeError} If the block is malformed or gives another number of bytes.
 */
export function decompressSnappy(bytes: Uint8Array, length: number): Uint8Array {
  const out = new Uint8Array(length);
  let at = 0;
  let filled = 0;
  const number = (width: number) => {
    if (at + width > bytes.length) throw endsEarly(bytes.length);
    let value = 0;
    for (let i = 0; i < width; i++) value += bytes[at++]! * 2 ** (8 * i);
    return value;
  };
  const told = varint(number);
  if (told !== length) throw wrongLength(length, told);
  while (at < bytes.length) {
    const tag = number(1);
    const kind = tag & 3;
    if (kind === 0) {
      const size = (tag >>> 2) < 60 ? (tag >>> 2) + 1 : number((tag >>> 2) - 59) + 1;
      if (at + size > bytes.length) throw endsEarly(bytes.length);
      if (filled + size > length) throw wrongLength(length, filled + size);
      out.set(bytes.subarray(at, at + size), filled);
      at += size;
      filled += size;
      continue;
    }
    const size = kind === 1 ? ((tag >>> 2) & 7) + 4 : (tag >>> 2) + 1;
    const back = kind === 1 ? (tag >>> 5) * 256 + number(1) : number(kind === 2 ? 2 : 4);
    if (back === 0 || back > filled) {
      throw new RangeError(
        `A copy must begin at most ${filled} bytes back: current value is ${back}`,
      );
    }
    if (filled + size > length) throw wrongLength(length, filled + size);
    // Byte by byte, since a copy may reach into what it writes.
    for (const end = filled + size; filled < end; filled++) out[filled] = out[filled - back]!;
  }
  if (filled !== length) throw wrongLength(length, filled);
  return out;
}

function varint(number: (width: number) => number): number {
  let value = 0;
  for (let shift = 0; shift <= 28; shift += 7) {
    const byte = number(1);
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return value;
  }
  throw new RangeError("The length of a block must have at most 5 bytes");
}

function endsEarly(end: number): RangeError {
  return new RangeError(`A compressed block ends early: current value is byte ${end}`);
}

function wrongLength(length: number, value: number): RangeError {
  return new RangeError(`A page must decompress to ${length} bytes: current value is ${value}`);
}
