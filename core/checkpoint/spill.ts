/**
 * Room on a disk for what was read of slow sources and is asked for again, where memory has none: a tensor that several
 * passes read is downloaded once.
 *
 * @module
 */
import type { Bytes } from "./byte_source.ts";
import type { SegmentBytes } from "./segment_memory.ts";

/** Places of one size in a file. */
export interface SpillFile {
  write(place: number, bytes: Bytes): Promise<void>;
  /**
   * Reads the place's bytes from `start` on.
   *
   * @throws If fewer bytes are there.
   */
  read(place: number, start: number, target: Bytes): Promise<void>;
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

/** A disk that segments are kept on. */
export interface Spill {
  /**
   * Copies the bytes and begins to write them. Answers their place once they are there, or undefined if the disk
   * failed; undefined at once where there is no room, or too much is under way: the source has them still.
   */
  keep(bytes: SegmentBytes): Promise<number | undefined> | undefined;
  /** Reads them again; answers whether it could. */
  read(place: number, target: SegmentBytes): Promise<boolean>;
  /** Another segment may take the place. */
  free(place: number): void;
  close(): void;
}

/** Writes under way at most, each with a copy of its bytes: a slow disk must not fill memory. */
const UNDER_WAY = 3;

/** Bytes that are read at once: files are not read into memory that other threads see. */
const PART = 524_288;

/** A disk that nothing is on; after a fault nothing more is written. */
export function createSpill({ open, limit }: SpillOptions, size: number): Spill {
  const most = Math.floor(limit / size);
  const free: number[] = [];
  const copies: Bytes[] = [];
  const parts: Bytes[] = [];
  let file: Promise<SpillFile> | undefined;
  let places = 0;
  let writing = 0;
  let over = false;

  const openFile = async () => {
    const opened = await open(size);
    if (over) opened.close();
    return opened;
  };

  async function write(place: number, bytes: Bytes, length: number): Promise<number | undefined> {
    writing++;
    try {
      await (await (file ??= openFile())).write(place, bytes.subarray(0, length));
      return place;
    } catch {
      over = true;
      return undefined;
    } finally {
      writing--;
      if (!over) copies.push(bytes);
    }
  }

  return {
    keep(bytes) {
      if (over || writing >= UNDER_WAY || (free.length === 0 && places >= most)) return undefined;
      const own = copies.pop() ?? new Uint8Array(size);
      own.set(bytes);
      return write(free.pop() ?? places++, own, bytes.length);
    },
    async read(place, target) {
      const part = parts.pop() ?? new Uint8Array(PART);
      try {
        for (let at = 0; at < target.length; at += PART) {
          const bytes = part.subarray(0, Math.min(PART, target.length - at));
          await (await file!).read(place, at, bytes);
          target.set(bytes, at);
        }
        return true;
      } catch {
        return false;
      } finally {
        if (!over) parts.push(part);
      }
    },
    free: (place) => void free.push(place),
    close() {
      over = true;
      copies.length = 0;
      parts.length = 0;
      file?.then((opened) => opened.close(), () => {});
    },
  };
}
