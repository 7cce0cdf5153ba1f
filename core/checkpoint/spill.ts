/**
 * Room on a disk for what was read of slow sources and is asked for again, where memory has none: a tensor that several
 * passes read is downloaded once.
 *
 * @module
 */
import { inTurn } from "../in_turn.ts";
import type { Bytes } from "./byte_source.ts";
import type { SegmentBytes } from "./segment_memory.ts";

/** Places of one size in a file. */
export interface SpillFile {
  write(place: number, bytes: Bytes): Promise<void>;
  /**
   * Reads the place's first bytes.
   *
   * @throws If fewer bytes are there.
   */
  read(place: number, target: Bytes): Promise<void>;
  /** Gives the disk's space back. */
  close(): void;
}

/** How much goes where. */
export interface SpillOptions {
  /** Opens a file for places of so many bytes, once there is something to write. */
  readonly open: (size: number) => Promise<SpillFile>;
  /** Bytes on the disk at most. */
  readonly limit: number;
}

/** Bytes on their way to the disk. */
export interface Spilling {
  /** Once their memory may be used for others. */
  readonly copied: Promise<void>;
  /** Their place once they are there; undefined if the disk failed. */
  readonly place: Promise<number | undefined>;
}

/** A disk that segments are kept on. */
export interface Spill {
  /**
   * Begins to write bytes. Undefined where there is no room, or the disk is slower than what is to be written: the
   * source has them still.
   */
  keep(bytes: SegmentBytes): Spilling | undefined;
  /** Reads them again; answers whether it could. */
  read(place: number, target: SegmentBytes): Promise<boolean>;
  /** Another segment may take the place. */
  free(place: number): void;
  close(): void;
}

/** Writes and reads under way at most, each with memory for a segment: files are no memory that other threads see. */
const WRITES = 3;
const READS = 2;
/** Milliseconds of a write beyond which no other waits. */
const SLOW_MS = 50;

/** Segments that go through memory of this thread, a few at once. */
function createLanes(count: number, size: number) {
  const lanes = Array.from(
    { length: count },
    () => ({ inTurn: inTurn(), memory: undefined as Bytes | undefined }),
  );
  let next = 0;
  return {
    run<T>(work: (memory: Bytes) => Promise<T>): Promise<T> {
      const lane = lanes[next++ % count]!;
      return lane.inTurn(() => work(lane.memory ??= new Uint8Array(size)));
    },
    close() {
      for (const lane of lanes) lane.memory = undefined;
    },
  };
}

/** A disk that nothing is on; after a fault nothing more is written. */
export function createSpill({ open, limit }: SpillOptions, size: number): Spill {
  const most = Math.floor(limit / size);
  const free: number[] = [];
  const [writers, readers] = [createLanes(WRITES, size), createLanes(READS, size)];
  let file: Promise<SpillFile> | undefined;
  let places = 0;
  let writing = 0;
  /** Milliseconds that writes have taken lately. */
  let pace = 0;
  let over = false;

  const openFile = async () => {
    const opened = await open(size);
    if (over) opened.close();
    return opened;
  };

  return {
    keep(bytes) {
      if (over || (pace > SLOW_MS && writing >= WRITES)) return undefined;
      if (free.length === 0 && places >= most) return undefined;
      const place = free.pop() ?? places++;
      const copied = Promise.withResolvers<void>();
      const write = async (memory: Bytes) => {
        if (over) return undefined;
        const own = memory.subarray(0, bytes.length);
        own.set(bytes);
        copied.resolve();
        const opened = await (file ??= openFile());
        const began = performance.now();
        await opened.write(place, own);
        pace = 0.8 * pace + 0.2 * (performance.now() - began);
        return place;
      };
      writing++;
      const written = writers.run(write).catch(() => {
        over = true;
        return undefined;
      }).finally(() => {
        writing--;
        copied.resolve();
      });
      return { copied: copied.promise, place: written };
    },
    read(place, target) {
      return readers.run(async (memory) => {
        const part = memory.subarray(0, target.length);
        await (await file!).read(place, part);
        target.set(part);
        return true;
      }).catch(() => false);
    },
    free: (place) => void free.push(place),
    close() {
      over = true;
      writers.close();
      readers.close();
      file?.then((opened) => opened.close(), () => {});
    },
  };
}
