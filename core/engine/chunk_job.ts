/**
 * The work that is done on one chunk, as plain data: it crosses to a worker and back.
 *
 * @module
 */
import type { Bytes } from "../checkpoint/byte_source.ts";
import type { Coefficients } from "../methods/method.ts";
import type { DType } from "../tensor/dtype.ts";
import type { FineWindow } from "../tensor/order_statistics.ts";
import type { Words } from "../tensor/random.ts";

/** The same chunk of one input, as stored. */
export interface ChunkInput {
  readonly dtype: DType;
  readonly bytes: Bytes;
}

/** The inputs of one chunk. */
export interface ChunkInputs {
  /** Number of elements. */
  readonly count: number;
  readonly base?: ChunkInput;
  readonly models: readonly ChunkInput[];
  readonly kinds: readonly ("weights" | "task_vector")[];
  /** Whether NaN and infinity among the inputs are a fault. */
  readonly finite: boolean;
}

/** A selection bound to one chunk. */
export type ChunkSelection =
  /** Keys above `key`, and the first `quota` that equal it. */
  | { readonly kind: "threshold"; readonly key: number; readonly quota: number }
  /** The chunk is the whole tensor: keep its `keep` largest magnitudes. */
  | { readonly kind: "largest"; readonly keep: number }
  /** Random numbers of the elements `first`, `first + 1`, …; `first` is even. */
  | {
    readonly kind: "random";
    readonly key: Words;
    readonly first: number;
    readonly probability: number;
  }
  /** One byte per element; 0 drops it. */
  | { readonly kind: "mask"; readonly keep: Uint8Array };

/** Selections per model; undefined keeps all. */
export type ChunkSelections = readonly (ChunkSelection | undefined)[];

/** Where rows begin inside a chunk: the chunk starts `offset` elements into a row of `length`. */
export interface RowLayout {
  readonly length: number;
  readonly offset: number;
}

/** Compute the output of a chunk. */
export interface MapJob {
  readonly stage: "map";
  readonly inputs: ChunkInputs;
  readonly method: string;
  readonly graph: string;
  readonly selections?: ChunkSelections;
  /** One set for the tensor, or one per row that the chunk touches. */
  readonly coefficients: readonly Coefficients[];
  readonly rows?: RowLayout;
  readonly out: DType;
  readonly saturate: boolean;
  /** Elements on which all models agree take that value (idempotent elementwise methods). */
  readonly agreed: boolean;
}

/** Take block sums of a chunk. */
export interface ReduceJob {
  readonly stage: "reduce";
  readonly inputs: ChunkInputs;
  readonly method: string;
  readonly graph: string;
  readonly sums: number;
  readonly selections?: ChunkSelections;
  readonly rows?: RowLayout;
}

/** Count magnitudes into the accumulator `id` of the thread that runs it. */
export interface HistogramJob {
  readonly stage: "histogram";
  readonly inputs: ChunkInputs;
  readonly id: string;
  /** Per model: undefined counts nothing. */
  readonly windows: readonly ({ coarse: boolean; fine?: FineWindow } | undefined)[];
}

/** Count, per model, the keys that equal the given one. */
export interface EqualJob {
  readonly stage: "equal";
  readonly inputs: ChunkInputs;
  readonly keys: readonly (number | undefined)[];
}

/** Convert one input to another element type. */
export interface ConvertJob {
  readonly stage: "convert";
  readonly inputs: ChunkInputs;
  readonly out: DType;
  readonly saturate: boolean;
}

/** Only look for NaN and infinity. */
export interface ScanJob {
  readonly stage: "scan";
  readonly inputs: ChunkInputs;
}

/** Hand over a part of the accumulator `id`; every thread answers it. */
export interface CollectJob {
  readonly stage: "collect";
  readonly id: string;
  /** Per model: all coarse bins, the fine bins of one place of the window, or nothing. */
  readonly parts: readonly ("coarse" | { readonly place: number } | undefined)[];
  /** Whether the accumulator is freed. */
  readonly clear: boolean;
}

/** Any work on a chunk. */
export type ChunkJob =
  | MapJob
  | ReduceJob
  | HistogramJob
  | EqualJob
  | ConvertJob
  | ScanJob
  | CollectJob;

/** A value that is not finite. */
export interface NonFiniteFault {
  /** Index of the model, -1 for the base, undefined for the result. */
  readonly input?: number;
  /** Index of the first one within the chunk. */
  readonly element: number;
  /** How many there are in the chunk. */
  readonly found: number;
}

/** What a job answers; each member only where its stage gives it. */
export interface ChunkResult {
  /** map, convert: encoded output. */
  readonly bytes?: Bytes;
  /** reduce: `[blocks, sums]`. */
  readonly sums?: Float64Array;
  /** reduce: whether all models hold the same bits. */
  readonly agreed?: boolean;
  /** reduce: whether the base holds them too. */
  readonly agreedWithBase?: boolean;
  /** collect: per model, undefined where nothing was counted. */
  readonly histograms?: readonly (Uint32Array | undefined)[];
  /** equal: counts per model. */
  readonly counts?: readonly number[];
  /** The chunk holds (or gives) values that are not finite; nothing else is answered. */
  readonly fault?: NonFiniteFault;
  /** The input buffers, given back. */
  readonly spent?: readonly ArrayBuffer[];
}

/** Runs jobs, here or in workers. */
export interface ChunkExecutor {
  /** How many jobs run at the same time. */
  readonly width: number;
  /** Runs a job; the input buffers are given away. */
  run(job: ChunkJob): Promise<ChunkResult>;
  /** Runs a job on every thread. */
  broadcast(job: ChunkJob): Promise<ChunkResult[]>;
  /** Loads the engine ahead of the first job. */
  warm(): Promise<void>;
  close(): Promise<void>;
}
