/**
 * Puts files together from known bytes and the bytes of tensors, which come as one stream.
 *
 * @module
 */
import type { Bytes, ByteSource } from "./byte_source.ts";
import type { FileRange } from "./onnx_outline.ts";

/** A stretch of a file to be written. */
export type FilePart =
  | { readonly kind: "bytes"; readonly bytes: Bytes }
  /** Bytes of another file. */
  | { readonly kind: "copy"; readonly source: ByteSource; readonly range: FileRange }
  /** The next bytes of tensors. */
  | { readonly kind: "tensors"; readonly length: number }
  /** The next bytes of tensors are not written. */
  | { readonly kind: "dropped"; readonly length: number }
  /** A tensor that is held in memory to be written in another way. */
  | {
    readonly kind: "held";
    readonly length: number;
    readonly written: number;
    readonly arrange: (bytes: Bytes) => Iterable<Bytes>;
  };

/** How many bytes a part writes. */
export function partLength(part: FilePart): number {
  switch (part.kind) {
    case "bytes":
      return part.bytes.length;
    case "copy":
      return part.range.end - part.range.start;
    case "tensors":
      return part.length;
    case "dropped":
      return 0;
    case "held":
      return part.written;
  }
}

/** Bytes of another file are read in pieces of this size. */
const PIECE = 1 << 20;

/** A stream of bytes, taken in portions of the caller's choice. */
export interface ByteQueue {
  /** Yields exactly that many bytes. */
  take(length: number): AsyncGenerator<Bytes>;
  /** Ends the stream. */
  close(): Promise<void>;
}

/** Takes portions of a stream of pieces; one at a time. */
export function byteQueue(pieces: AsyncGenerator<Bytes>): ByteQueue {
  let rest: Bytes = new Uint8Array();
  return {
    async *take(length) {
      for (let missing = length; missing > 0;) {
        if (rest.length === 0) {
          const { done, value } = await pieces.next();
          if (done) throw new RangeError(`The stream ended ${missing} bytes early`);
          rest = value;
        }
        // A piece that fits whole is handed on as it is; a part must own its buffer.
        const part = rest.length <= missing ? rest : rest.slice(0, missing);
        rest = rest.length <= missing ? new Uint8Array() : rest.slice(missing);
        missing -= part.length;
        yield part;
      }
    },
    async close() {
      await pieces.return(undefined);
    },
  };
}

/** Yields a file, its tensors from the queue. */
export async function* fileBytes(
  parts: readonly FilePart[],
  tensors: ByteQueue,
  signal?: AbortSignal,
): AsyncGenerator<Bytes> {
  for (const part of parts) {
    if (part.kind === "tensors") yield* tensors.take(part.length);
    else if (part.kind === "bytes") yield new Uint8Array(part.bytes);
    else if (part.kind === "dropped") { for await (const _ of tensors.take(part.length)); }
    else if (part.kind === "held") yield* part.arrange(await held(tensors, part.length));
    else {
      const { source, range: { start, end } } = part;
      for (let at = start; at < end; at += PIECE) {
        yield await source.slice(at, Math.min(at + PIECE, end), signal);
      }
    }
  }
}

async function held(tensors: ByteQueue, length: number): Promise<Bytes> {
  const bytes = new Uint8Array(length);
  let filled = 0;
  for await (const piece of tensors.take(length)) {
    bytes.set(piece, filled);
    filled += piece.length;
  }
  return bytes;
}
