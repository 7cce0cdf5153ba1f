/**
 * The content of an archive's member, decompressed where it has to be.
 *
 * @module
 */
import type { Bytes } from "../../checkpoint/byte_source.ts";
import { crc32 } from "../../checkpoint/crc32.ts";
import type { ShardFile } from "./shard_file.ts";
import { memberStart, zipFault, type ZipMember } from "./zip_directory.ts";

/** Compressed bytes are read in pieces of this size. */
const PIECE = 262_144;

/**
 * Reads the first bytes of a member, at least `length` of them if it has so many.
 *
 * @throws {Problem} `invalid-checkpoint` if the member is damaged; whatever the source throws.
 */
export async function readBeginning(
  file: ShardFile,
  member: ZipMember,
  length: number,
  signal?: AbortSignal,
): Promise<Bytes> {
  const wanted = Math.min(length, member.size);
  const start = await memberStart(file, member, signal);
  if (member.method === "stored") return file.source.slice(start, start + wanted, signal);
  const out = new Uint8Array(wanted);
  let filled = 0;
  for await (const piece of inflated(file, member, start, 4096, signal)) {
    const part = piece.subarray(0, wanted - filled);
    out.set(part, filled);
    filled += part.length;
    if (filled === wanted) return out;
  }
  throw zipFault(file, sizeMust(member), start, filled);
}

/**
 * Reads the whole content of a member and checks its CRC-32. Its size must have been checked to be bearable.
 *
 * @throws {Problem} `invalid-checkpoint` if the member is damaged; whatever the source throws.
 */
export async function readContent(
  file: ShardFile,
  member: ZipMember,
  signal?: AbortSignal,
): Promise<Bytes> {
  const start = await memberStart(file, member, signal);
  const content = member.method === "stored"
    ? await file.source.slice(start, start + member.size, signal)
    : await inflateAll(file, member, start, signal);
  const crc = crc32(content);
  if (crc !== member.crc) {
    const what = `the content of ${JSON.stringify(member.name)} must have the CRC-32 ` +
      member.crc.toString(16);
    throw zipFault(file, what, start, crc.toString(16));
  }
  return content;
}

async function inflateAll(
  file: ShardFile,
  member: ZipMember,
  start: number,
  signal?: AbortSignal,
): Promise<Bytes> {
  const out = new Uint8Array(member.size);
  let filled = 0;
  for await (const piece of inflated(file, member, start, PIECE, signal)) {
    if (filled + piece.length > out.length) {
      throw zipFault(file, sizeMust(member), start, filled + piece.length);
    }
    out.set(piece, filled);
    filled += piece.length;
  }
  if (filled !== out.length) throw zipFault(file, sizeMust(member), start, filled);
  return out;
}

function sizeMust({ name, size }: ZipMember): string {
  return `the content of ${JSON.stringify(name)} must have ${size} bytes`;
}

/** The decompressed bytes of a member, piece by piece; leaving the loop early stops the reading. */
async function* inflated(
  file: ShardFile,
  member: ZipMember,
  start: number,
  piece: number,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const end = start + member.packed;
  let at = start;
  // What the source throws must not come out as a fault of the compressed bytes.
  let failure: { readonly error: unknown } | undefined;
  const packed = new ReadableStream<Bytes>({
    async pull(controller) {
      if (at === end) return controller.close();
      const from = at;
      at = Math.min(at + piece, end);
      try {
        controller.enqueue(await file.source.slice(from, at, signal));
      } catch (error) {
        failure = { error };
        throw error;
      }
    },
  }, { highWaterMark: 0 });
  const reader = packed.pipeThrough(new DecompressionStream("deflate-raw")).getReader();
  try {
    while (true) {
      const { done, value } = await reader.read();
      signal?.throwIfAborted();
      if (done) return;
      yield value;
    }
  } catch (error) {
    if (failure !== undefined) throw failure.error;
    if (!(error instanceof TypeError)) throw error;
    const what = `the content of ${JSON.stringify(member.name)} must be compressed by deflate`;
    throw zipFault(file, what, start, error.message);
  } finally {
    await reader.cancel().catch(() => {});
  }
}
