/**
 * Blobs in memory: for tests, and for small deployments without a disk.
 *
 * @module
 */
import { checkRange } from "../checkpoint/byte_range.ts";
import type { Bytes, ByteSource } from "../checkpoint/byte_source.ts";
import { Problem } from "../problem.ts";
import { blobId } from "./blob_id.ts";
import type { BlobId, BlobStore, MakeHasher, PartMark, PartWriter } from "./blobs.ts";

/** Bytes are kept in pieces of this size, so that growing never copies what is there. */
const PIECE = 1 << 20;

/** A store that holds at most `limit` bytes, those of unfinished writes included. */
export function memoryBlobs(
  { makeHasher, limit = Infinity }: { readonly makeHasher: MakeHasher; readonly limit?: number },
): BlobStore {
  const blobs = new Map<BlobId, Pieces>();
  const parts = new Map<string, Pieces>();
  /** Parts that somebody writes: their end frees what they hold. */
  const writing = new Set<Pieces>();
  let held = 0;

  const create = (
    pieces: Pieces = createPieces(),
    hasher = makeHasher(),
    name?: string,
  ): PartWriter => {
    let id: BlobId | undefined;
    let open = true;
    if (name !== undefined) writing.add(pieces);
    const sealed = () => id ??= blobId(hasher.digest());
    const drop = () => {
      if (!open) return;
      open = false;
      forget();
      held -= pieces.bytes();
    };
    const forget = () => {
      writing.delete(pieces);
      if (name !== undefined && parts.get(name) === pieces) parts.delete(name);
    };
    return {
      get bytes() {
        return pieces.bytes();
      },
      write(chunk) {
        if (!open) {
          return Promise.reject(new TypeError("Cannot write the bytes as their writer has ended"));
        }
        if (held + chunk.length > limit) {
          drop();
          return Promise.reject(
            new Problem(
              "insufficient-storage",
              `Cannot keep the bytes as the memory store must hold at most ${limit}: ` +
                `current value is more than ${limit}`,
              { limit },
            ),
          );
        }
        held += chunk.length;
        hasher.update(chunk);
        pieces.append(chunk);
        return Promise.resolve();
      },
      written: () => Promise.resolve(pieces.source()),
      seal: () => Promise.resolve({ id: sealed(), source: pieces.source() }),
      commit() {
        const bytes = pieces.bytes();
        const created = !blobs.has(sealed());
        if (created) blobs.set(sealed(), pieces);
        else held -= bytes;
        open = false;
        forget();
        return Promise.resolve({ id: sealed(), bytes, created });
      },
      abort: () => Promise.resolve(drop()),
      flush: () =>
        Promise.resolve({ bytes: pieces.bytes(), sha256: hasher.copy().digest().toHex() }),
      leave() {
        // Somebody may have removed the name meanwhile.
        if (name === undefined || parts.get(name) !== pieces) drop();
        open = false;
        writing.delete(pieces);
        return Promise.resolve();
      },
    };
  };
  const left = (name: string) => {
    const there = parts.get(name);
    return there && !writing.has(there) ? there : undefined;
  };
  /** Goes on with what was left under a name as far as a mark tells of it. */
  const goOn = (name: string, mark: PartMark | undefined): PartWriter => {
    const there = left(name);
    const before = there?.bytes() ?? 0;
    const hasher = makeHasher();
    const kept = there && mark && before >= mark.bytes ? mark.bytes : 0;
    if (there && kept > 0) { for (const piece of there.first(kept)) hasher.update(piece); }
    if (there && kept > 0 && hasher.copy().digest().toHex() === mark!.sha256) {
      there.truncate(kept);
      held -= before - kept;
      return create(there, hasher, name);
    }
    held -= before;
    const fresh = createPieces();
    parts.set(name, fresh);
    return create(fresh, makeHasher(), name);
  };

  return {
    create: () => Promise.resolve(create()),
    open: (id) => Promise.resolve(blobs.get(id)?.source()),
    size: (id) => Promise.resolve(blobs.get(id)?.bytes()),
    remove(id) {
      held -= blobs.get(id)?.bytes() ?? 0;
      return Promise.resolve(blobs.delete(id));
    },
    list: () => Promise.resolve([...blobs.keys()].sort()),
    parts: {
      open: (name, mark) => Promise.resolve(goOn(name, mark)),
      remove(name) {
        held -= left(name)?.bytes() ?? 0;
        parts.delete(name);
        return Promise.resolve();
      },
      names: () => Promise.resolve([...parts.keys()].sort()),
    },
  };
}

type Pieces = ReturnType<typeof createPieces>;

function createPieces() {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  const copy = (start: number, result: Bytes) => {
    const end = start + result.length;
    for (let at = start; at < end;) {
      const inside = at % PIECE;
      const part = pieces[Math.floor(at / PIECE)]!.subarray(inside, inside + end - at);
      result.set(part, at - start);
      at += part.length;
    }
    return result;
  };
  /** Room behind the last byte, for `length` more or up to a whole piece; a small blob does not take a whole one. */
  const room = (length: number): Uint8Array => {
    const inside = bytes % PIECE;
    const last = inside === 0 ? undefined : pieces.pop();
    const least = Math.min(inside + length, PIECE);
    const size = pieces.length > 0 ? PIECE : Math.min(PIECE, Math.max(least, 2 * inside));
    const piece = last && last.length >= least ? last : new Uint8Array(size);
    if (last && last !== piece) piece.set(last);
    pieces.push(piece);
    return piece.subarray(inside);
  };
  return {
    bytes: () => bytes,
    append(chunk: Uint8Array) {
      for (let at = 0; at < chunk.length;) {
        const free = room(chunk.length - at);
        const part = chunk.subarray(at, at + free.length);
        free.set(part);
        bytes += part.length;
        at += part.length;
      }
    },
    /** The first bytes, in pieces. */
    *first(length: number): Generator<Uint8Array> {
      for (let at = 0; at < length; at += PIECE) {
        yield pieces[at / PIECE]!.subarray(0, Math.min(PIECE, length - at));
      }
    },
    truncate(length: number) {
      bytes = length;
      pieces.length = Math.ceil(length / PIECE);
    },
    source(): ByteSource {
      const byteLength = bytes;
      let closed = false;
      return {
        byteLength,
        slice: (start, end, signal) =>
          // The constructor turns what this throws into a rejection, as with every other source.
          new Promise((resolve) => {
            signal?.throwIfAborted();
            checkRange(start, end, byteLength, closed);
            resolve(copy(start, new Uint8Array(end - start)));
          }),
        readInto: (target, start, signal) =>
          new Promise((resolve) => {
            signal?.throwIfAborted();
            checkRange(start, start + target.length, byteLength, closed);
            copy(start, target);
            resolve();
          }),
        close: () => {
          closed = true;
        },
      };
    },
  };
}
