/**
 * A byte source over a `Blob` that reads on where a read before it ended.
 *
 * A browser takes milliseconds to begin to read a slice of a file, however small it is, and streams the rest of it
 * some ten times as fast as slices of a chunk each. A merge reads its tensors from their beginning to their end, a few
 * of them at once; each such walk gets a stream, which fetches little ahead of what is taken.
 *
 * @module
 */
import { blobSource } from "./blob_source.ts";
import { checkRange } from "./byte_range.ts";
import type { Bytes, ByteSource } from "./byte_source.ts";

/** Walks that are open at once; the one that was idle longest ends for another. */
const MAXIMUM_WALKS = 8;
/** Shorter reads than this begin no walk, unless they follow the last read. */
const SHORTEST = 64 << 10;

/** One stream, and what is still to be read of it by whom. */
interface Walk {
  /** Where the next read must begin so that it belongs to this walk. */
  next: number;
  /** The end of the read before. */
  last: Promise<unknown>;
  readonly reader: ReadableStreamDefaultReader<Bytes>;
  /** Bytes of the stream's last piece that nobody has taken yet. */
  rest: Bytes;
}

/**
 * Reads a blob where it is.
 *
 * @throws {Problem} From `slice`: `invalid-checkpoint` if the file was changed or removed since it was chosen.
 */
export function streamedBlob(blob: Blob): ByteSource {
  const single = blobSource(blob);
  const byteLength = blob.size;
  const walks: Walk[] = [];
  let lastEnd = -1;
  let closed = false;

  const end = (walk: Walk) => {
    const at = walks.indexOf(walk);
    if (at >= 0) walks.splice(at, 1);
    walk.reader.cancel().catch(() => {});
  };
  const walkFrom = (start: number, length: number): Walk | undefined => {
    const known = walks.find(({ next }) => next === start);
    if (known) {
      walks.splice(walks.indexOf(known), 1);
      walks.push(known);
      return known;
    }
    if (length < SHORTEST && start !== lastEnd) return undefined;
    // A read of it that has not ended fails, and is done once more below.
    if (walks.length === MAXIMUM_WALKS) end(walks[0]!);
    const reader = blob.slice(start).stream().getReader();
    const walk = { next: start, last: Promise.resolve(), reader, rest: new Uint8Array() };
    walks.push(walk);
    return walk;
  };

  async function readInto(target: Bytes, start: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    checkRange(start, start + target.length, byteLength, closed);
    const walk = walkFrom(start, target.length);
    lastEnd = start + target.length;
    let isWhole = false;
    if (walk) {
      walk.next += target.length;
      const read = walk.last.then(() => take(walk, target));
      walk.last = read.catch(() => {});
      isWhole = await read.catch(() => false);
      if (!isWhole || walk.next === byteLength) end(walk);
    }
    signal?.throwIfAborted();
    if (isWhole) return;
    checkRange(start, start + target.length, byteLength, closed);
    target.set(await single.slice(start, start + target.length, signal));
  }

  return {
    byteLength,
    readInto,
    async slice(start, end, signal) {
      signal?.throwIfAborted();
      checkRange(start, end, byteLength, closed);
      const target = new Uint8Array(end - start);
      await readInto(target, start, signal);
      return target;
    },
    close() {
      closed = true;
      for (const walk of [...walks]) end(walk);
      single.close?.();
    },
  };
}

/** Fills memory from the stream; false if the stream ended before. */
async function take(walk: Walk, target: Bytes): Promise<boolean> {
  for (let at = 0; at < target.length;) {
    if (walk.rest.length === 0) {
      const { done, value } = await walk.reader.read();
      if (done) return false;
      walk.rest = value;
    }
    const part = walk.rest.subarray(0, target.length - at);
    target.set(part, at);
    walk.rest = walk.rest.subarray(part.length);
    at += part.length;
  }
  return true;
}
