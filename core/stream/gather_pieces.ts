/**
 * Joins the small pieces of a stream, each of which would cost its consumers a turn.
 *
 * @module
 */
import type { Bytes } from "../checkpoint/byte_source.ts";

/** Pieces of that many bytes go on as they are. */
const LARGE = 64 << 10;
/** Bytes that are joined at least, unless a large piece or the end comes. */
const JOINED = 256 << 10;

/** The same bytes in pieces that are not small, but for the last one before a large one and the last of all. */
export async function* gatherPieces(pieces: AsyncIterable<Bytes>): AsyncGenerator<Bytes> {
  let small: Bytes[] = [];
  let bytes = 0;
  const joined = () => {
    const whole = small.length === 1 ? small[0]! : new Uint8Array(bytes);
    if (small.length > 1) {
      let at = 0;
      for (const piece of small) {
        whole.set(piece, at);
        at += piece.length;
      }
    }
    small = [];
    bytes = 0;
    return whole;
  };
  for await (const piece of pieces) {
    if (piece.length >= LARGE) {
      if (bytes > 0) yield joined();
      yield piece;
      continue;
    }
    small.push(piece);
    bytes += piece.length;
    if (bytes >= JOINED) yield joined();
  }
  if (bytes > 0) yield joined();
}
