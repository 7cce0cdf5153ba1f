/**
 * Reads heads, lines and bytes from a connection.
 *
 * @module
 */
import { isShared, type SharedBytes } from "../../checkpoint/segment_memory.ts";
import { malformed } from "./head.ts";

/** The part of a connection that is needed. */
export interface Connection {
  read(target: Uint8Array): Promise<number | null>;
  write(bytes: Uint8Array): Promise<number>;
  close(): void;
}

/** What was received, in order. */
export interface Wire {
  /** The text up to an empty line, which is taken too; undefined if the connection ended before any byte. */
  head(limit: number): Promise<string | undefined>;
  /** A line without its end. */
  line(limit: number): Promise<string>;
  /** Some bytes, straight from the connection where none were received before; null at its end. */
  readInto(target: Uint8Array): Promise<number | null>;
  /** Whether nothing was received that nobody has taken. */
  readonly empty: () => boolean;
}

/** Bytes that are received at once while a head or line is looked for. */
const RECEIVED = 4096;
/** Bytes that are received at once for memory that other threads see. */
const SCRATCH = 262_144;
/** Bytes of a word: memory is copied by words where both sides lie alike. */
const WORD = 8;
const LINE_END = [13, 10];

/** What connections receive into on the way to shared memory, one while it reads; each in use is one less here. */
const scratches: Uint8Array[] = [];

/** Reads from a connection. */
export function createWire(connection: Connection): Wire {
  let buffer = new Uint8Array(RECEIVED);
  let start = 0;
  let end = 0;

  async function receive(limit: number): Promise<boolean> {
    if (end - start >= limit) throw malformed("a field or line, which does not end in time,");
    if (start > 0) {
      buffer.copyWithin(0, start, end);
      [start, end] = [0, end - start];
    }
    if (end === buffer.length) {
      const larger = new Uint8Array(2 * buffer.length);
      larger.set(buffer);
      buffer = larger;
    }
    const count = await connection.read(buffer.subarray(end));
    if (count === null) return false;
    end += count;
    return true;
  }

  /** Takes the text before a mark, and the mark. */
  async function until(mark: readonly number[], limit: number): Promise<string | undefined> {
    for (let searched = 0;;) {
      const at = indexOf(buffer.subarray(start, end), mark, Math.max(0, searched - mark.length));
      if (at > limit) throw malformed("a field or line, which is too long,");
      if (at >= 0) {
        const text = latin1(buffer.subarray(start, start + at));
        start += at + mark.length;
        return text;
      }
      searched = end - start;
      if (await receive(limit)) continue;
      if (end === start) return undefined;
      throw malformed("its end, which came early,");
    }
  }

  /** Connections do not read into shared memory. */
  async function receiveShared(target: SharedBytes): Promise<number | null> {
    const scratch = scratches.pop() ?? new Uint8Array(SCRATCH + WORD);
    const shift = target.byteOffset % WORD;
    const room = scratch.subarray(shift, shift + Math.min(target.length, SCRATCH));
    const count = await connection.read(room);
    if (count !== null) target.set(room.subarray(0, count));
    // Where a read failed it is not given back: something may still be written to it.
    scratches.push(scratch);
    return count;
  }

  return {
    empty: () => end === start,
    head: (limit) => until([...LINE_END, ...LINE_END], limit),
    async line(limit) {
      const line = await until(LINE_END, limit);
      if (line === undefined) throw malformed("its end, which came early,");
      return line;
    },
    async readInto(target) {
      if (end === start) {
        return isShared(target) ? await receiveShared(target) : await connection.read(target);
      }
      const count = Math.min(target.length, end - start);
      target.set(buffer.subarray(start, start + count));
      start += count;
      return count;
    },
  };
}

function indexOf(bytes: Uint8Array, mark: readonly number[], from: number): number {
  for (let at = bytes.indexOf(mark[0]!, from); at >= 0; at = bytes.indexOf(mark[0]!, at + 1)) {
    if (at + mark.length > bytes.length) return -1;
    if (mark.every((byte, i) => bytes[at + i] === byte)) return at;
  }
  return -1;
}

/** One character for each byte; nothing is decoded. */
function latin1(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 8192) {
    text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  }
  return text;
}
