/**
 * Reads files on an engine worker's thread, without the turns of an event loop.
 *
 * Files stay open for a while, as the next chunk of the same ones comes soon.
 *
 * @module
 */
import { setPriority } from "node:os";
import type { BytePlace, Bytes } from "../checkpoint/byte_source.ts";
import type { ReadPlace } from "../engine/placed_inputs.ts";
import type { FilePlace } from "./file_source.ts";

/** Milliseconds that an unused file stays open: its space is not free until then, if it was removed. */
const IDLE = 1000;
/** Files that stay open at most. */
const MOST = 64;

/** How much the threads that compute stand back, on a scale of 19. */
const NICENESS = 5;

// This module is loaded by the threads that compute. The one that answers requests goes first, so that a small merge
// does not wait for processors that large ones keep busy. Only Linux takes 0 for the thread instead of the process.
try {
  if (Deno.build.os === "linux") setPriority(0, NICENESS);
} catch {
  // Where it is not allowed, all threads are equal.
}

interface OpenFile {
  readonly file: Deno.FsFile;
  /** Where the next read would start. */
  position: number;
  used: number;
}

const open = new Map<string, OpenFile>();
let timer: ReturnType<typeof setTimeout> | undefined;

/** Opens a file as `openFile` told its place; undefined if it is another one by now. */
export function openPlace(place: BytePlace): ReadPlace | undefined {
  const opened = openedFile(place as FilePlace);
  return opened && ((target, start) => read(opened, target, start));
}

/** What fails here, the thread that opened the source tries again, and tells what is wrong. */
function read(opened: OpenFile, target: Bytes, start: number): boolean {
  try {
    if (opened.position !== start) opened.file.seekSync(start, Deno.SeekMode.Start);
    // Unknown until the read has ended as it should.
    opened.position = -1;
    for (let at = 0; at < target.length;) {
      const count = opened.file.readSync(at === 0 ? target : target.subarray(at));
      if (count === null) return false;
      at += count;
    }
    opened.position = start + target.length;
    return true;
  } catch {
    return false;
  }
}

function openedFile({ path, dev, ino }: FilePlace): OpenFile | undefined {
  const key = `${dev}/${ino}/${path}`;
  const known = open.get(key);
  if (known) {
    known.used = performance.now();
    return known;
  }
  let file: Deno.FsFile | undefined;
  try {
    file = Deno.openSync(path, { read: true });
    const info = file.statSync();
    if (info.dev !== dev || info.ino !== ino) throw new Error("another file");
  } catch {
    file?.close();
    return undefined;
  }
  const opened = { file, position: 0, used: performance.now() };
  open.set(key, opened);
  if (open.size > MOST) closeOldest();
  timer ??= setTimeout(closeIdle, IDLE);
  return opened;
}

function closeOldest(): void {
  const [key, oldest] = [...open].reduce((a, b) => a[1].used <= b[1].used ? a : b);
  oldest.file.close();
  open.delete(key);
}

function closeIdle(): void {
  const now = performance.now();
  for (const [key, { file, used }] of open) {
    if (now - used < IDLE) continue;
    file.close();
    open.delete(key);
  }
  timer = open.size > 0 ? setTimeout(closeIdle, IDLE) : undefined;
}
