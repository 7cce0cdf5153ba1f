/**
 * Reads of small tensors: those that lie beside each other in a file and are needed one after the other are read at once.
 *
 * @module
 */
import type { Bytes, ByteSource } from "../checkpoint/byte_source.ts";
import type { StoredTensor } from "../checkpoint/checkpoint.ts";
import { inputsOf } from "../merge/passes.ts";
import type { PlannedTensor } from "../merge/plan_types.ts";
import { createBufferPool } from "./buffers.ts";

/** Bytes that are read at once at most, but for a tensor that is larger. */
const WINDOW = 256 << 10;
/** Windows of a source that are kept: tensors are measured ahead of the one that is written. */
const KEPT = 2;

/** Buffers of all merges: most are so short that to make new ones would be a good part of their work. */
const buffers = createBufferPool(16 << 20);

/** Milliseconds after which a read has waited for a disk. */
const SLOW = 3;
/** Sources whose bytes are not in memory: other requests shall not wait for them. */
const slow = new WeakSet<ByteSource>();

/** Reads small tensors. */
export interface NearReads {
  /** Reads whole tensors and lends their bytes while `work` is under way. */
  lend<T>(tensors: readonly StoredTensor[], work: (bytes: Bytes[]) => Promise<T>): Promise<T>;
  /** Gives back what is held, as soon as nobody works on it. */
  close(): void;
}

/** The tensors of one source in the order in which they are needed. */
interface Line {
  readonly tensors: StoredTensor[];
  readonly places: Map<StoredTensor, number>;
  windows: Window[];
}

interface Window {
  readonly start: number;
  readonly end: number;
  readonly bytes: Promise<Bytes>;
  users: number;
  /** Whether nobody will ask for it again. */
  passed: boolean;
}

/** Reads the inputs of a plan's tensors, which are needed about in this order. */
export function nearReads(tensors: readonly PlannedTensor[], signal: AbortSignal): NearReads {
  const lines = linesOf(tensors);
  const use = (tensor: StoredTensor): Window => {
    const { source, start, end } = tensor;
    const line = lines.get(source);
    const known = line?.windows.find((held) => held.start <= start && end <= held.end);
    const window = known ?? open(source, spanFrom(line, tensor), signal);
    window.users++;
    if (line && !known) {
      line.windows.unshift(window);
      for (const passed of line.windows.splice(KEPT)) pass(passed);
    } else if (!line) pass(window);
    return window;
  };
  const read = async ({ start, bytes }: Window, tensor: StoredTensor): Promise<Bytes> => {
    const { source } = tensor;
    let held: Bytes;
    try {
      held = await bytes;
    } catch {
      // What fails may be a neighbour's.
      return await source.slice(tensor.start, tensor.end, signal);
    }
    return held.subarray(tensor.start - start, tensor.end - start);
  };
  return {
    async lend(wanted, work) {
      const windows = wanted.map(use);
      try {
        return await work(await Promise.all(wanted.map((tensor, i) => read(windows[i]!, tensor))));
      } finally {
        for (const window of windows) {
          window.users--;
          giveBack(window);
        }
      }
    },
    close() {
      for (const line of lines.values()) line.windows.splice(0).forEach(pass);
    },
  };
}

function linesOf(tensors: readonly PlannedTensor[]): Map<ByteSource, Line> {
  const lines = new Map<ByteSource, Line>();
  for (const { work } of tensors) {
    if (work?.kind !== "merge" && work?.kind !== "copy") continue;
    for (const { tensor } of inputsOf(work)) {
      let line = lines.get(tensor.source);
      if (!line) lines.set(tensor.source, line = { tensors: [], places: new Map(), windows: [] });
      line.places.set(tensor, line.tensors.length);
      line.tensors.push(tensor);
    }
  }
  return lines;
}

/** From where to where to read, so that at least half of it is needed. */
function spanFrom(
  { tensors, places }: Pick<Line, "tensors" | "places"> = { tensors: [], places: new Map() },
  tensor: StoredTensor,
): Pick<Window, "start" | "end"> {
  let { start, end } = tensor;
  let needed = end - start;
  for (let i = (places.get(tensor) ?? Infinity) + 1; i < tensors.length; i++) {
    const next = tensors[i]!;
    const from = Math.min(start, next.start);
    const to = Math.max(end, next.end);
    needed += next.end - next.start;
    if (to - from > Math.min(WINDOW, 2 * needed)) break;
    [start, end] = [from, to];
  }
  return { start, end };
}

function open(
  source: ByteSource,
  { start, end }: Pick<Window, "start" | "end">,
  signal: AbortSignal,
): Window {
  const fill = async () => {
    if (!source.readInto) return await source.slice(start, end, signal);
    const target = buffers.take(end - start);
    if (!readNow(source, target, start)) await source.readInto(target, start, signal, "last");
    return target;
  };
  return { start, end, bytes: fill(), users: 0, passed: false };
}

/** Under load every turn of the event loop takes long, so that bytes that are in the system's memory are read at once. */
function readNow(source: ByteSource, target: Bytes, start: number): boolean {
  if (!source.readNow || slow.has(source)) return false;
  const began = performance.now();
  const isRead = source.readNow(target, start);
  if (performance.now() - began > SLOW) slow.add(source);
  return isRead;
}

function pass(window: Window): void {
  window.passed = true;
  giveBack(window);
}

/** Once it is read: what failed may be written to still. */
function giveBack({ users, passed, bytes }: Window): void {
  if (users === 0 && passed) bytes.then(({ buffer }) => buffers.give(buffer), () => {});
}
