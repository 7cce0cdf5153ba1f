/**
 * Inputs of a chunk that the thread which works on it fetches itself, from memory that all threads see or, where its
 * host lets it, from a file: the bytes then cross no thread, and no other thread waits for them.
 *
 * @module
 */
import type { BytePlace, Bytes } from "../checkpoint/byte_source.ts";
import type { SharedBytes } from "../checkpoint/segment_memory.ts";
import type { ChunkInput, ChunkInputs, ChunkJob } from "./chunk_job.ts";

/** Reads `target.length` bytes from `start` on; answers whether it could, as the file may have become shorter. */
export type ReadPlace = (target: Bytes, start: number) => boolean;

/** What the module of a thread's reader exports. */
export interface PlaceReaderModule {
  /** Opens a place; undefined if there is something else by now. The reader is good until the next one is opened. */
  readonly openPlace: (place: BytePlace) => ReadPlace | undefined;
}

/** Bytes of an input that are not read yet. */
export interface PlacedBytes {
  readonly place: BytePlace;
  /** First byte and number of bytes of each piece; they come one behind the other. */
  readonly pieces: readonly (readonly [number, number])[];
}

/** Bytes of an input in memory that all threads see, one piece behind the other. */
export interface SharedPieces {
  readonly shared: readonly SharedBytes[];
}

/** Reads the inputs of jobs. */
export interface InputReader {
  /** Opens an input that is one piece of its file; its reader takes the bytes of the piece from one of them on. */
  open(input: PlacedBytes | SharedPieces): ReadPlace | undefined;
  /** The job with all bytes, in memory that the next one uses again; undefined if some could not be read. */
  read<Job extends ChunkJob>(job: Job): Job | undefined;
}

/**
 * Makes a thread's reader.
 *
 * @param module Reads the places of files; absent: jobs tell none.
 */
export function createInputReader(module?: PlaceReaderModule): InputReader {
  const copyShared = createSharedCopier();
  const buffers: ArrayBuffer[] = [];
  const target = (slot: number, length: number): Bytes => {
    const known = buffers[slot];
    const buffer = known && known.byteLength >= length ? known : new ArrayBuffer(length);
    buffers[slot] = buffer;
    return new Uint8Array(buffer, 0, length);
  };
  const readPieces = (
    { place, pieces }: PlacedBytes,
    bytes: Bytes,
  ): boolean => {
    const read = module?.openPlace(place);
    let end = 0;
    return pieces.every(([start, length]) => {
      const from = end;
      end += length;
      return read?.(bytes.subarray(from, end), start) ?? false;
    });
  };
  const filled = ({ dtype, at, ...input }: ChunkInput, slot: number): ChunkInput | undefined => {
    if (!at) return { dtype, ...input };
    const lengths = "shared" in at
      ? at.shared.map(({ length }) => length)
      : at.pieces.map(([, length]) => length);
    const bytes = target(slot, lengths.reduce((sum, length) => sum + length, 0));
    if ("shared" in at) copyShared(at.shared, bytes, 0);
    else if (!readPieces(at, bytes)) return undefined;
    return { dtype, bytes };
  };
  return {
    open(input) {
      if ("shared" in input) {
        return (target, from) => {
          copyShared(input.shared, target, from);
          return true;
        };
      }
      const read = module?.openPlace(input.place);
      const first = input.pieces[0]![0];
      return read && ((target, from) => read(target, first + from));
    },
    read(job) {
      if (!("inputs" in job) || !isPlaced(job.inputs)) return job;
      const { inputs } = job;
      const base = inputs.base && filled(inputs.base, 0);
      const models = inputs.models.map((input, i) => filled(input, i + 1));
      if ((inputs.base && !base) || !models.every((input) => input !== undefined)) return undefined;
      return { ...job, inputs: { ...inputs, ...(base ? { base } : {}), models } };
    },
  };
}

/** Bytes of a word, and of what is copied at once where the two sides lie differently to words. */
const WORD = 8;
const STEP = 65_536;

/**
 * Makes what copies out of shared memory. That goes by words only where both sides lie alike, else byte by byte, which
 * takes six times as long: then the bytes go by way of memory of this thread that lies as they do.
 */
function createSharedCopier() {
  let own: Uint8Array | undefined;
  const copy = (source: SharedBytes, target: Bytes) => {
    if ((source.byteOffset - target.byteOffset) % WORD === 0) return target.set(source);
    own ??= new Uint8Array(STEP + WORD);
    for (let at = 0; at < source.length; at += STEP) {
      const piece = source.subarray(at, at + STEP);
      const shift = piece.byteOffset % WORD;
      const alike = own.subarray(shift, shift + piece.length);
      alike.set(piece);
      target.set(alike, at);
    }
  };
  /** Fills the target with the pieces' bytes from one of them on. */
  return (pieces: readonly SharedBytes[], target: Bytes, from: number): void => {
    let begin = 0;
    for (const piece of pieces) {
      const end = begin + piece.length;
      const first = Math.max(from, begin);
      const last = Math.min(from + target.length, end);
      if (first < last) {
        copy(
          piece.subarray(first - begin, last - begin),
          target.subarray(first - from, last - from),
        );
      }
      begin = end;
    }
  };
}

/** Whether any input is still to be read. */
export function isPlaced({ base, models }: ChunkInputs): boolean {
  return base?.at !== undefined || models.some(({ at }) => at !== undefined);
}
