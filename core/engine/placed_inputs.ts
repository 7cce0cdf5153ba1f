/**
 * Inputs of a chunk that the thread which works on it reads itself, where its host lets it: the bytes then cross no
 * thread, and no other thread waits for them.
 *
 * @module
 */
import type { BytePlace, Bytes } from "../checkpoint/byte_source.ts";
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

/** Reads the inputs of jobs. */
export interface InputReader {
  /** Opens an input of one piece; its reader takes the bytes of the piece from one of them on. */
  open(input: PlacedBytes): ReadPlace | undefined;
  /** The job with all bytes, in memory that the next one uses again; undefined if some could not be read. */
  read<Job extends ChunkJob>(job: Job): Job | undefined;
}

/** Makes a thread's reader. */
export function createInputReader({ openPlace }: PlaceReaderModule): InputReader {
  const buffers: ArrayBuffer[] = [];
  const target = (slot: number, length: number): Bytes => {
    const known = buffers[slot];
    const buffer = known && known.byteLength >= length ? known : new ArrayBuffer(length);
    buffers[slot] = buffer;
    return new Uint8Array(buffer, 0, length);
  };
  const filled = (input: ChunkInput, slot: number): ChunkInput | undefined => {
    if (!input.at) return input;
    const { place, pieces } = input.at;
    const bytes = target(slot, pieces.reduce((sum, [, length]) => sum + length, 0));
    const read = openPlace(place);
    let end = 0;
    for (const [start, length] of pieces) {
      const from = end;
      end += length;
      if (!read?.(bytes.subarray(from, end), start)) return undefined;
    }
    return { dtype: input.dtype, bytes };
  };
  return {
    open({ place, pieces }) {
      const read = openPlace(place);
      const first = pieces[0]![0];
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

/** Whether any input is still to be read. */
export function isPlaced({ base, models }: ChunkInputs): boolean {
  return base?.at !== undefined || models.some(({ at }) => at !== undefined);
}
