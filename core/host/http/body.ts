/**
 * Reads the body of an answer to its end, and no further.
 *
 * @module
 */
import { type Head, malformed } from "./head.ts";
import type { Wire } from "./wire.ts";

/** A body that is read piece by piece. */
export interface Body {
  /** Reads some bytes, at most as many as fit; null at the end. */
  readInto(target: Uint8Array): Promise<number | null>;
  /** Whether everything was read, so that what comes next is another answer. */
  readonly ended: () => boolean;
}

/** Bytes that the size of a chunk, or the fields after the last one, may take. */
const LINE = 1024;

/** The body that follows a head. */
export function bodyOf(wire: Wire, length: Head["length"]): Body {
  if (length === "chunked") return chunkedBody(wire);
  let missing = length === "close" ? Infinity : length;
  return {
    ended: () => missing === 0,
    async readInto(target) {
      if (missing === 0) return null;
      const room = target.length > missing ? target.subarray(0, missing) : target;
      const count = await wire.readInto(room);
      if (count === null) {
        // Only a body without a length may end with its connection.
        if (missing !== Infinity) throw malformed("its end, which came early,");
        missing = 0;
        return null;
      }
      missing -= count;
      return count;
    },
  };
}

function chunkedBody(wire: Wire): Body {
  let missing = 0;
  let first = true;
  let done = false;
  return {
    ended: () => done,
    async readInto(target) {
      if (done) return null;
      if (missing === 0) {
        if (!first && await wire.line(LINE) !== "") throw malformed("the end of a chunk");
        first = false;
        const [, size] = /^([\da-f]{1,12})(?:[\t ]*;.*)?$/i.exec(await wire.line(LINE)) ?? [];
        if (size === undefined) throw malformed("the size of a chunk");
        missing = parseInt(size, 16);
        if (missing === 0) {
          // Fields may follow; they are of no interest.
          while (await wire.line(LINE) !== "");
          done = true;
          return null;
        }
      }
      const count = await wire.readInto(
        target.length > missing ? target.subarray(0, missing) : target,
      );
      if (count === null) throw malformed("its end, which came early,");
      missing -= count;
      return count;
    },
  };
}
