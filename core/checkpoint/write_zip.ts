/**
 * Writes a zip archive without compression as a stream of known length (APPNOTE.TXT 6.3.10).
 *
 * Checksums follow each file in a data descriptor, as they are known only once the file has passed; archives
 * and files beyond 4 GiB use the 64-bit extension.
 *
 * @module
 */
import { crc32 } from "./crc32.ts";
import type { Bytes } from "./byte_source.ts";

/** A file to be packed; its size is known, its content comes when its turn has come. */
export interface ZipFile {
  readonly name: string;
  readonly byteLength: number;
  /** Yields exactly `byteLength` bytes. */
  content(): AsyncIterable<Bytes>;
}

const LITTLE = true;
const MAXIMUM = 0xffffffff;
const MAXIMUM_FILES = 0xffff;
/** 1980-01-01, so that equal content gives equal bytes. */
const DATE = 0x21;
/** A data descriptor follows; the name is UTF-8. */
const FLAGS = 0x0808;
/** 2.0 reads descriptors, 4.5 the 64-bit extension. */
const PLAIN_VERSION = 20;
const LARGE_VERSION = 45;
const ZIP64 = 1;

const LOCAL = 30;
const CENTRAL = 46;
const END = 22;
const END64 = 56 + 20;

/** Exact size of the archive in bytes. */
export function zipLength(files: readonly Omit<ZipFile, "content">[]): number {
  let offset = 0;
  let directory = 0;
  for (const { name, byteLength } of files) {
    const length = nameBytes(name).length;
    const large = isLarge(byteLength);
    const far = large || offset >= MAXIMUM;
    directory += CENTRAL + length + (far ? 28 : 0);
    offset += LOCAL + length + (large ? 20 + 24 : 16) + byteLength;
  }
  const extended = needsEnd64(files.length, offset, directory);
  return offset + directory + (extended ? END64 : 0) + END;
}

/** Yields the archive; in all exactly {@linkcode zipLength} bytes. */
export async function* writeZip(files: readonly ZipFile[]): AsyncGenerator<Bytes> {
  let offset = 0;
  const entries: Bytes[] = [];
  for (const file of files) {
    const local = localHeader(file);
    yield local;
    let crc = 0;
    for await (const chunk of file.content()) {
      crc = crc32(chunk, crc);
      yield chunk;
    }
    const descriptor = dataDescriptor(file, crc);
    yield descriptor;
    entries.push(centralHeader(file, crc, offset));
    offset += local.length + file.byteLength + descriptor.length;
  }
  let directory = 0;
  for (const entry of entries) {
    directory += entry.length;
    yield entry;
  }
  yield ending(files.length, offset, directory);
}

function isLarge(byteLength: number): boolean {
  return byteLength >= MAXIMUM;
}

function nameBytes(name: string): Uint8Array {
  return new TextEncoder().encode(name);
}

function localHeader({ name, byteLength }: ZipFile): Bytes {
  const large = isLarge(byteLength);
  const encoded = nameBytes(name);
  const bytes = new Uint8Array(LOCAL + encoded.length + (large ? 20 : 0));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 0x04034b50, LITTLE);
  view.setUint16(4, large ? LARGE_VERSION : PLAIN_VERSION, LITTLE);
  view.setUint16(6, FLAGS, LITTLE);
  view.setUint16(12, DATE, LITTLE);
  // Checksum and sizes are 0 here; the extension says that the descriptor has sizes of 8 bytes.
  if (large) {
    view.setUint32(18, MAXIMUM, LITTLE);
    view.setUint32(22, MAXIMUM, LITTLE);
    view.setUint16(LOCAL + encoded.length, ZIP64, LITTLE);
    view.setUint16(LOCAL + encoded.length + 2, 16, LITTLE);
  }
  view.setUint16(26, encoded.length, LITTLE);
  view.setUint16(28, large ? 20 : 0, LITTLE);
  bytes.set(encoded, LOCAL);
  return bytes;
}

function dataDescriptor({ byteLength }: ZipFile, crc: number): Bytes {
  const large = isLarge(byteLength);
  const view = new DataView(new ArrayBuffer(large ? 24 : 16));
  view.setUint32(0, 0x08074b50, LITTLE);
  view.setUint32(4, crc, LITTLE);
  if (large) {
    view.setBigUint64(8, BigInt(byteLength), LITTLE);
    view.setBigUint64(16, BigInt(byteLength), LITTLE);
  } else {
    view.setUint32(8, byteLength, LITTLE);
    view.setUint32(12, byteLength, LITTLE);
  }
  return new Uint8Array(view.buffer);
}

function centralHeader({ name, byteLength }: ZipFile, crc: number, offset: number): Bytes {
  const large = isLarge(byteLength) || offset >= MAXIMUM;
  const encoded = nameBytes(name);
  const bytes = new Uint8Array(CENTRAL + encoded.length + (large ? 28 : 0));
  const view = new DataView(bytes.buffer);
  const version = large ? LARGE_VERSION : PLAIN_VERSION;
  view.setUint32(0, 0x02014b50, LITTLE);
  view.setUint16(4, version, LITTLE);
  view.setUint16(6, version, LITTLE);
  view.setUint16(8, FLAGS, LITTLE);
  view.setUint16(14, DATE, LITTLE);
  view.setUint32(16, crc, LITTLE);
  view.setUint32(20, large ? MAXIMUM : byteLength, LITTLE);
  view.setUint32(24, large ? MAXIMUM : byteLength, LITTLE);
  view.setUint16(28, encoded.length, LITTLE);
  view.setUint16(30, large ? 28 : 0, LITTLE);
  view.setUint32(42, large ? MAXIMUM : offset, LITTLE);
  bytes.set(encoded, CENTRAL);
  if (!large) return bytes;
  const extra = CENTRAL + encoded.length;
  view.setUint16(extra, ZIP64, LITTLE);
  view.setUint16(extra + 2, 24, LITTLE);
  view.setBigUint64(extra + 4, BigInt(byteLength), LITTLE);
  view.setBigUint64(extra + 12, BigInt(byteLength), LITTLE);
  view.setBigUint64(extra + 20, BigInt(offset), LITTLE);
  return bytes;
}

function needsEnd64(count: number, offset: number, directory: number): boolean {
  return count >= MAXIMUM_FILES || offset >= MAXIMUM || directory >= MAXIMUM;
}

/** The end of the directory, which begins at `offset`; with the 64-bit one before it where needed. */
function ending(count: number, offset: number, directory: number): Bytes {
  const extended = needsEnd64(count, offset, directory);
  const start = extended ? END64 : 0;
  const view = new DataView(new ArrayBuffer(start + END));
  if (extended) {
    view.setUint32(0, 0x06064b50, LITTLE);
    view.setBigUint64(4, 44n, LITTLE);
    view.setUint16(12, LARGE_VERSION, LITTLE);
    view.setUint16(14, LARGE_VERSION, LITTLE);
    view.setBigUint64(24, BigInt(count), LITTLE);
    view.setBigUint64(32, BigInt(count), LITTLE);
    view.setBigUint64(40, BigInt(directory), LITTLE);
    view.setBigUint64(48, BigInt(offset), LITTLE);
    view.setUint32(56, 0x07064b50, LITTLE);
    view.setBigUint64(64, BigInt(offset + directory), LITTLE);
    view.setUint32(72, 1, LITTLE);
  }
  view.setUint32(start, 0x06054b50, LITTLE);
  const files = extended ? MAXIMUM_FILES : count;
  view.setUint16(start + 8, files, LITTLE);
  view.setUint16(start + 10, files, LITTLE);
  view.setUint32(start + 12, extended ? MAXIMUM : directory, LITTLE);
  view.setUint32(start + 16, extended ? MAXIMUM : offset, LITTLE);
  return new Uint8Array(view.buffer);
}
