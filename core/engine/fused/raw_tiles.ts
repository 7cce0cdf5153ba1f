/**
 * Jobs on tensors as they are stored: each tile is copied in, decoded, worked on and encoded in one loop.
 *
 * @module
 */
import { DTYPES } from "../../tensor/dtype.ts";
import type { ChunkResult, MapJob, ReduceJob } from "../chunk_job.ts";
import type { Kernels } from "../../tensor/kernels/mod.ts";
import type { InputReader } from "../placed_inputs.ts";
import { BLOCK, segmentsOf } from "../segments.ts";
import { placeRows, SLACK, STRIDE, TILE, type TileRows } from "../tile_rows.ts";
import type { RowCuts } from "../row_cuts.ts";
import { type CutRun, cutRuns } from "./cut_runs.ts";
import { type Compiled, placeVector } from "./fused.ts";

/** What a chunk is run with. */
export interface RawRun {
  readonly kernels: Kernels;
  readonly compiled: Compiled;
  /** First free byte of the kernels' memory. */
  readonly start: number;
  /** Where the table of exponentials lies, if the program reads it. */
  readonly exponentials: number;
  /** The bounds of rows that are cut, two a row. */
  readonly cuts?: RowCuts;
  /** Fetches inputs that are not there yet straight into the tiles. */
  readonly reader: InputReader;
}

const UNREAD: ChunkResult = { unread: true };

/**
 * Maps a chunk.
 *
 * @returns Undefined if something is not finite or does not fit: the way over decoded rows knows what.
 */
export function mapRaw(run: RawRun, job: MapJob): ChunkResult | undefined {
  const place = placeTiles(run, job);
  const { kernels } = run;
  const width = DTYPES[job.out].bytes;
  const bytes = new Uint8Array(job.inputs.count * width);
  const whole = new Uint8Array(kernels.memory.buffer, place.y, TILE * width);
  for (const { start, count } of tilesOf(job)) {
    if (!place.fill(start, count)) return UNREAD;
    for (const { vector = 0, at, size } of place.cut?.(count) ?? runsOf(job, start, count)) {
      // Rounded up, each reaches into what the next one writes.
      if (place.run(vector, at, size, place.y + at * width) !== 0) return undefined;
    }
    bytes.set(count === TILE ? whole : whole.subarray(0, count * width), start * width);
  }
  return { bytes };
}

/** Sums a chunk block by block; see {@linkcode mapRaw}. */
export function reduceRaw(run: RawRun, job: ReduceJob): ChunkResult | undefined {
  const place = placeTiles(run, job);
  const { kernels } = run;
  const { count: total, kinds, base } = job.inputs;
  const sums = new Float64Array(segmentsOf(total, job.vectors).count * job.sums);
  let agreed = true;
  let agreedWithBase = base !== undefined;
  let block = 0;
  for (const { start, count } of tilesOf(job)) {
    if (!place.fill(start, count)) return UNREAD;
    for (let row = 1; agreed && row < kinds.length; row++) agreed = place.same(0, row, count);
    agreedWithBase &&= agreed && place.same(0, place.baseRow, count);
    for (const { vector, at, size } of runsOf(job, start, count)) {
      for (let from = at; from < at + size; from += BLOCK, block++) {
        const length = Math.min(BLOCK, at + size - from);
        if (place.run(vector, from, length, place.y) !== 0) return undefined;
        const found = new Float64Array(kernels.memory.buffer, place.y, job.sums);
        if (!found.every(Number.isFinite)) return undefined;
        sums.set(found, block * job.sums);
      }
    }
  }
  return { sums, agreed, agreedWithBase: agreed && agreedWithBase };
}

/** Tiles of a chunk: whole vectors, or pieces of one that is longer than a tile. */
function* tilesOf({ inputs: { count: total }, vectors }: MapJob | ReduceJob) {
  const { length, offset } = vectors ?? { length: TILE, offset: 0 };
  const several = Math.floor(TILE / length) * length;
  for (let start = 0; start < total;) {
    const left = length - (offset + start) % length;
    const size = left === length && several > 0 ? several : Math.min(left, TILE);
    const count = Math.min(size, total - start);
    yield { start, count };
    start += count;
  }
}

/** The pieces of a tile that lie in one vector each. */
function* runsOf({ vectors }: MapJob | ReduceJob, start: number, count: number) {
  const { length, offset } = vectors ?? { length: Infinity, offset: 0 };
  for (let at = 0; at < count;) {
    const place = offset + start + at;
    const vector = Math.floor(place / length);
    const size = Math.min((vector + 1) * length - place, count - at);
    yield { vector, at, size: vectors ? size : count };
    at += size;
  }
}

/** The tiles' place in memory. */
interface Place extends TileRows {
  readonly y: number;
  /** The pieces of a tile that are cut alike, their bounds set; absent: nothing is cut. */
  readonly cut?: (size: number) => Iterable<CutRun & { readonly vector?: number }>;
  /** Whether two rows hold the same bits. */
  same(a: number, b: number, size: number): boolean;
  /** Runs the program on elements of the tile that belong to a vector, with its result at `y`. */
  run(vector: number, at: number, size: number, y: number): number;
}

function placeTiles(
  { kernels, compiled: { program, run }, start, exponentials, cuts, reader }: RawRun,
  job: MapJob | ReduceJob,
): Place {
  // The last vector of a tile is rounded up.
  const results = STRIDE + 16 * SLACK;
  const bounds = 16 * Math.ceil(job.inputs.kinds.length / 2);
  const extra = results + bounds + 8 * program.coefficients.length + 16 * SLACK;
  const zeros = cuts?.rows.some((cut) => cut?.startsWith("zero")) ?? false;
  const rows = placeRows(kernels, reader, job.inputs, { start, extra, zeros });
  const { x, baseRow, widths, end: y } = rows;
  const coefficients = y + results + bounds;
  const words = new Int32Array(kernels.memory.buffer);
  let placed = -1;
  return {
    ...rows,
    y,
    ...(cuts ? { cut: cutRuns(kernels, rows, cuts.bounds, y + results, job.inputs.count) } : {}),
    same(a, b, size) {
      const [left, right] = [(x + a * STRIDE) / 4, (x + b * STRIDE) / 4];
      const end = Math.ceil(size * widths[a]! / 4);
      for (let i = 0; i < end; i++) if (words[left + i] !== words[right + i]) return false;
      return true;
    },
    run(vector, at, size, y) {
      if (vector !== placed) placeVector(kernels, program, job, placed = vector, coefficients);
      const offset = (row: number) => x + row * STRIDE + at * widths[row]!;
      return run(
        size,
        offset(0),
        STRIDE,
        offset(0),
        job.inputs.base ? offset(baseRow) : 0,
        coefficients,
        0,
        y,
        STRIDE,
        exponentials,
        rows.end + results,
      );
    },
  };
}
