/**
 * Joins the small pieces of a stream, each of which would cost its consumers a turn.
 *
 * @module
 */
import type { Bytes } from "../checkpoint/byte_source.ts";
import { freeGiven, giveAway } from "./given_bytes.ts";

/** Pieces of that many bytes go on as they are. */
const LARGE = 512 << 10;
/** Bytes that are joined at least, unless a large piece, the end, or the time comes. */
const JOINED = 1 << 20;
/** Milliseconds that a piece waits for the next ones. */
const PATIENCE = 20;

/** The same bytes in pieces that are not small, unless the next one is long in coming. */
export async function* gatherPieces(pieces: AsyncGenerator<Bytes>): AsyncGenerator<Bytes> {
  let small: Bytes[] = [];
  let bytes = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let late: Promise<void> | undefined;
  const joined = () => {
    clearTimeout(timer);
    late = undefined;
    const whole = join(small, bytes);
    small = [];
    bytes = 0;
    return whole;
  };
  try {
    let next: Promise<IteratorResult<Bytes>> | undefined;
    for (;;) {
      if (!next) {
        next = pieces.next();
        // It is waited for below; meanwhile its failure must not count as unhandled.
        next.catch(() => {});
      }
      const come = await (late ? Promise.race([next, late]) : next);
      if (!come) {
        yield joined();
        continue;
      }
      next = undefined;
      if (come.done) break;
      if (come.value.length >= LARGE) {
        if (bytes > 0) yield joined();
        yield come.value;
        continue;
      }
      small.push(come.value);
      bytes += come.value.length;
      late ??= new Promise((done) => timer = setTimeout(done, PATIENCE));
      if (bytes >= JOINED) yield joined();
    }
    if (small.length > 0) yield joined();
  } finally {
    clearTimeout(timer);
    await pieces.return(undefined);
  }
}

function join(pieces: readonly Bytes[], bytes: number): Bytes {
  if (pieces.length === 1) return pieces[0]!;
  const whole = new Uint8Array(bytes);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
    freeGiven(piece);
  }
  return giveAway(whole);
}
