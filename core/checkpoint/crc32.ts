/**
 * The checksum of zip archives.
 *
 * @module
 */

/** The reversed polynomial of ISO 3309. */
const POLYNOMIAL = 0xedb88320;
/** Bytes that one step takes, each through a table of its own. */
const STEP = 8;

const TABLE = new Uint32Array(STEP * 256);
for (let byte = 0; byte < 256; byte++) {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ ((crc & 1) === 0 ? 0 : POLYNOMIAL);
  TABLE[byte] = crc;
}
for (let i = 256; i < TABLE.length; i++) {
  const crc = TABLE[i - 256]!;
  TABLE[i] = (crc >>> 8) ^ TABLE[crc & 0xff]!;
}

/**
 * CRC-32 of bytes, as an unsigned integer.
 *
 * @param before The checksum of the bytes before them; 0 if they are the first.
 */
export function crc32(bytes: Uint8Array, before = 0): number {
  const table = TABLE;
  let crc = ~before;
  let i = 0;
  for (; i + STEP <= bytes.length; i += STEP) {
    crc ^= bytes[i]! | bytes[i + 1]! << 8 | bytes[i + 2]! << 16 | bytes[i + 3]! << 24;
    crc = table[1792 + (crc & 0xff)]! ^ table[1536 + (crc >>> 8 & 0xff)]! ^
      table[1280 + (crc >>> 16 & 0xff)]! ^ table[1024 + (crc >>> 24)]! ^
      table[768 + bytes[i + 4]!]! ^ table[512 + bytes[i + 5]!]! ^
      table[256 + bytes[i + 6]!]! ^ table[bytes[i + 7]!]!;
  }
  for (; i < bytes.length; i++) crc = table[(crc ^ bytes[i]!) & 0xff]! ^ (crc >>> 8);
  return ~crc >>> 0;
}
