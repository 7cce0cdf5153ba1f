/**
 * Reads the directory of a zip archive (APPNOTE.TXT 6.3.10), with the 64-bit extension.
 *
 * @module
 */
import { shardProblem } from "./shard.ts";
import type { ShardFile } from "./shard_file.ts";

/** A file inside an archive. */
export interface ZipMember {
  readonly name: string;
  readonly method: "stored" | "deflated";
  /** CRC-32 of its content. */
  readonly crc: number;
  /** Where its local header begins. */
  readonly header: number;
  /** Bytes in the archive. */
  readonly packed: number;
  /** Bytes of its content. */
  readonly size: number;
}

const LITTLE = true;
const END_MARK = 0x06054b50;
const END_BYTES = 22;
const END_64_MARK = 0x06064b50;
const END_64_BYTES = 56;
const LOCATOR_MARK = 0x07064b50;
const LOCATOR_BYTES = 20;
const ENTRY_MARK = 0x02014b50;
const ENTRY_BYTES = 46;
const LOCAL_MARK = 0x04034b50;
const LOCAL_BYTES = 30;
const FULL_32 = 0xffffffff;
/** A directory takes some hundred bytes for each array; a longer one is no shard's. */
const DIRECTORY_LIMIT = 16_777_216;

/**
 * Lists the members of an archive in the order of its directory.
 *
 * @throws {Problem} `invalid-checkpoint` with `byte` if the directory is damaged or a member is encrypted,
 * compressed by another method than deflate, or named twice; `too-large` if the directory is very long.
 */
export async function readZipDirectory(
  file: ShardFile,
  signal?: AbortSignal,
): Promise<ZipMember[]> {
  const { start, end, count } = await findDirectory(file, signal);
  const bytes = await file.source.slice(start, end, signal);
  const view = new DataView(bytes.buffer);
  const members = new Map<string, ZipMember>();
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + ENTRY_BYTES > bytes.length || view.getUint32(at, LITTLE) !== ENTRY_MARK) {
      throw zipFault(file, `its directory must hold ${count} entries`, start + at, i);
    }
    const nameEnd = at + ENTRY_BYTES + view.getUint16(at + 28, LITTLE);
    const extraEnd = nameEnd + view.getUint16(at + 30, LITTLE);
    const next = extraEnd + view.getUint16(at + 32, LITTLE);
    if (next > bytes.length) {
      throw zipFault(file, "its directory must end after its last entry", start + at, next);
    }
    const name = new TextDecoder().decode(bytes.subarray(at + ENTRY_BYTES, nameEnd));
    const entry = new DataView(bytes.buffer, at, ENTRY_BYTES);
    const member = readEntry(
      file,
      name,
      entry,
      new DataView(bytes.buffer, nameEnd, extraEnd - nameEnd),
    );
    if (members.has(name)) {
      throw zipFault(file, "its members must have different names", start + at, name);
    }
    if (member.header + LOCAL_BYTES + member.packed > start) {
      const what = `the member ${JSON.stringify(name)} must end before the directory at ${start}`;
      throw zipFault(file, what, start + at, member.header + LOCAL_BYTES + member.packed);
    }
    members.set(name, member);
    at = next;
  }
  return [...members.values()];
}

/**
 * Where the bytes of a member begin: after its local header, whose length only the header itself tells.
 *
 * @throws {Problem} `invalid-checkpoint` if there is no such header or the bytes would not fit.
 */
export async function memberStart(
  file: ShardFile,
  member: ZipMember,
  signal?: AbortSignal,
): Promise<number> {
  const bytes = await file.source.slice(member.header, member.header + LOCAL_BYTES, signal);
  const view = new DataView(bytes.buffer);
  const mark = view.getUint32(0, LITTLE);
  if (mark !== LOCAL_MARK) {
    const what = `the member ${JSON.stringify(member.name)} must begin with a local header`;
    throw zipFault(file, what, member.header, `0x${mark.toString(16)}`);
  }
  const start = member.header + LOCAL_BYTES + view.getUint16(26, LITTLE) +
    view.getUint16(28, LITTLE);
  if (start + member.packed > file.source.byteLength) {
    const what = `the member ${JSON.stringify(member.name)} must end inside the file`;
    throw zipFault(file, what, member.header, start + member.packed);
  }
  return start;
}

/** A fault of an archive as a problem. */
export function zipFault({ name }: ShardFile, what: string, byte: number, value: unknown) {
  return shardProblem(
    "invalid-checkpoint",
    name,
    `Cannot read the archive ${JSON.stringify(name)} as ${what}: current value is ${value}`,
    { byte },
  );
}

interface DirectoryPlace {
  readonly start: number;
  readonly end: number;
  readonly count: number;
}

async function findDirectory(file: ShardFile, signal?: AbortSignal): Promise<DirectoryPlace> {
  const { source } = file;
  const { byteLength } = source;
  // A comment of up to 65535 bytes may follow the end record.
  const tailStart = Math.max(0, byteLength - END_BYTES - 65535 - LOCATOR_BYTES);
  const tail = await source.slice(tailStart, byteLength, signal);
  const view = new DataView(tail.buffer);
  let at = tail.length - END_BYTES;
  const isEnd = () =>
    view.getUint32(at, LITTLE) === END_MARK &&
    at + END_BYTES + view.getUint16(at + 20, LITTLE) <= tail.length;
  while (at >= 0 && !isEnd()) at--;
  if (at < 0) throw zipFault(file, "it must end with a directory", byteLength, "none");

  let place: DirectoryPlace & { readonly limit: number } = {
    count: view.getUint16(at + 10, LITTLE),
    start: view.getUint32(at + 16, LITTLE),
    end: view.getUint32(at + 16, LITTLE) + view.getUint32(at + 12, LITTLE),
    limit: tailStart + at,
  };
  const locator = at - LOCATOR_BYTES;
  if (locator >= 0 && view.getUint32(locator, LITTLE) === LOCATOR_MARK) {
    place = await findDirectory64(file, integer64(view, locator + 8), signal);
  }
  if (!(place.start <= place.end && place.end <= place.limit)) {
    throw zipFault(
      file,
      `its directory must lie before its end record at ${place.limit}`,
      tailStart + at,
      `[${place.start}, ${place.end})`,
    );
  }
  const length = place.end - place.start;
  if (length > DIRECTORY_LIMIT) {
    throw shardProblem(
      "too-large",
      file.name,
      `Cannot read the archive ${JSON.stringify(file.name)} as its directory must have at most ` +
        `${DIRECTORY_LIMIT} bytes: current value is ${length}`,
      { limit: DIRECTORY_LIMIT, value: length },
    );
  }
  return place;
}

async function findDirectory64(file: ShardFile, at: number, signal?: AbortSignal) {
  if (!(at + END_64_BYTES <= file.source.byteLength)) {
    throw zipFault(file, "its 64-bit end record must lie inside the file", at, at);
  }
  const bytes = await file.source.slice(at, at + END_64_BYTES, signal);
  const view = new DataView(bytes.buffer);
  const mark = view.getUint32(0, LITTLE);
  if (mark !== END_64_MARK) {
    throw zipFault(file, "its 64-bit end record must have its mark", at, `0x${mark.toString(16)}`);
  }
  const start = integer64(view, 48);
  return { count: integer64(view, 32), start, end: start + integer64(view, 40), limit: at };
}

function readEntry(file: ShardFile, name: string, entry: DataView, extra: DataView): ZipMember {
  const what = (must: string) => `the member ${JSON.stringify(name)} must ${must}`;
  const flags = entry.getUint16(8, LITTLE);
  const method = entry.getUint16(10, LITTLE);
  let size = entry.getUint32(24, LITTLE);
  let packed = entry.getUint32(20, LITTLE);
  let header = entry.getUint32(42, LITTLE);
  if (size === FULL_32 || packed === FULL_32 || header === FULL_32) {
    const wide = wideFields(extra);
    if (size === FULL_32) size = wide.shift() ?? size;
    if (packed === FULL_32) packed = wide.shift() ?? packed;
    if (header === FULL_32) header = wide.shift() ?? header;
  }
  if ((flags & 1) !== 0) throw zipFault(file, what("not be encrypted"), header, "encrypted");
  if (method !== 0 && method !== 8) {
    throw zipFault(file, what("be stored (0) or deflated (8)"), header, method);
  }
  if (method === 0 && size !== packed) {
    throw zipFault(file, what(`take its ${size} bytes as it is stored`), header, packed);
  }
  return {
    name,
    method: method === 0 ? "stored" : "deflated",
    crc: entry.getUint32(16, LITTLE),
    header,
    packed,
    size,
  };
}

/** The 64-bit values of an entry, in the order of the fields that they stand for. */
function wideFields(extra: DataView): number[] {
  for (let at = 0; at + 4 <= extra.byteLength;) {
    const length = Math.min(extra.getUint16(at + 2, LITTLE), extra.byteLength - at - 4);
    if (extra.getUint16(at, LITTLE) === 1) {
      return Array.from(
        { length: Math.floor(length / 8) },
        (_, i) => integer64(extra, at + 4 + 8 * i),
      );
    }
    at += 4 + length;
  }
  return [];
}

/** An unsigned 64-bit integer; above 2^53 rounded, which lies outside of every file anyhow. */
function integer64(view: DataView, at: number): number {
  return Number(view.getBigUint64(at, LITTLE));
}
