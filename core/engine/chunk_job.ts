/**
 * The work that is done on one chunk, as plain data: it crosses to a worker and back.
 *
 * @module
 */
import type { Bytes } from "../checkpoint/byte_source.ts";
import type { DType } from "../tensor/dtype.ts";
import type { ChunkSelections, KeyCut } from "./chunk_selection.ts";
import type { PlacedBytes, SharedPieces } from "./placed_inputs.ts";
import type { EngineChoice } from "./engine_name.ts";
import type { FoundAdapter } from "./webgpu/adapter.ts";

export type { ChunkSelection, ChunkSelections, KeyCut } from "./chunk_selection.ts";

/** The same chunk of one input, as stored. */
export interface ChunkInput {
  readonly dtype: DType;
  /** Empty where the thread that runs the job is to fetch them. */
  readonly bytes: Bytes;
  /** Where it fetches them; absent where `bytes` are all there are. */
  readonly at?: PlacedBytes | SharedPieces;
}

/** The inputs of one chunk. */
export interface ChunkInputs {
  /** Number of elements. */
  readonly count: number;
  readonly base?: ChunkInput;
  /** The models, then their statistics, if they have any. */
  readonly models: readonly ChunkInput[];
  /** What each model holds; statistics have none. */
  readonly kinds: readonly ("weights" | "task_vector")[];
  /** Whether NaN and infinity among the inputs are a fault. */
  readonly finite: boolean;
}

/** How a chunk lies in the vectors of its tensor: it starts `offset` elements into a row of `length`. */
export interface VectorLayout {
  readonly along: "rows" | "columns";
  readonly length: number;
  readonly offset: number;
  /** Rows of the whole tensor. */
  readonly rows: number;
}

/** Coefficients by name: `size` values for the tensor, for each row that the chunk touches, or for each column. */
export type PackedCoefficients = Readonly<
  Record<string, { readonly size: number; readonly values: Float64Array<ArrayBuffer> }>
>;

/** A graph of a method and what it reads beside the chunk. */
export interface GraphCall {
  readonly method: string;
  readonly graph: string;
  /** Absent: the graph as the method has it; else it is scaled by a factor over depth, or its magnitudes are summed. */
  readonly lines?: "scaled" | "magnitudes";
  readonly coefficients: PackedCoefficients;
  /** Absent: coefficients are those of the tensor. */
  readonly vectors?: VectorLayout;
}

/** Scores of the elements, `rows` of them. */
export interface Scores extends GraphCall {
  readonly rows: number;
  /** Whether the graph works in float64; the scores are rounded to float32. */
  readonly double: boolean;
}

/** All models keep only the elements whose score is inside the cut. */
export interface ScoreSelection {
  readonly scores: Scores;
  readonly cut: KeyCut;
}

/** Inputs that a thread kept on its GPU. */
export interface KeptInputs {
  readonly thread: string;
  readonly id: string;
}

/** What the stages that run a method's graph on selected inputs share. */
interface GraphJob extends GraphCall {
  /** Whether it is to run on a GPU; sums are taken in float32 there. */
  readonly device?: true;
  readonly inputs: ChunkInputs;
  readonly scored?: ScoreSelection;
  readonly selections?: ChunkSelections;
}

/** Compute the output of a chunk. */
export interface MapJob extends GraphJob {
  readonly stage: "map";
  /** Whether the graph works in float64. */
  readonly double: boolean;
  readonly out: DType;
  readonly saturate: boolean;
  /** Elements on which all models agree take that value (idempotent elementwise methods). */
  readonly agreed: boolean;
  /** Where the inputs are, which have no bytes then. */
  readonly kept?: KeptInputs;
}

/** Take block sums of a chunk. */
export interface ReduceJob extends GraphJob {
  readonly stage: "reduce";
  readonly sums: number;
  /** The name under which a GPU keeps the inputs for the map, if it has room. */
  readonly keep?: string;
}

/** How keys are counted. */
export type LaneKind =
  /** All by coarse bins. */
  | { readonly kind: "coarse" }
  /** Those of one coarse bin, one by one. */
  | { readonly kind: "fine"; readonly bin: number }
  /** Those from `low` to `high` are listed, but for those that equal `guess`, which may be many. */
  | {
    readonly kind: "window";
    readonly low: number;
    readonly high: number;
    readonly guess: number;
  };

/** Counting of one row's keys: of the magnitudes of that model, or of that row of the scores. */
export type Lane = { readonly row: number } & LaneKind;

/** Count keys into the accumulator `id` of the thread that runs it; those of windows are answered with tallies too. */
export interface HistogramJob {
  readonly stage: "histogram";
  readonly inputs: ChunkInputs;
  readonly id: string;
  /** Absent: the magnitudes of task vectors are counted. */
  readonly scores?: Scores;
  /** Undefined counts nothing. */
  readonly lanes: readonly (Lane | undefined)[];
}

/** Count the keys of a few elements of some rows by coarse bins. */
export interface SampleJob {
  readonly stage: "sample";
  readonly inputs: ChunkInputs;
  readonly scores?: Scores;
  readonly rows: readonly number[];
}

/** What a chunk holds around an expected key. */
export interface WindowTally {
  /** Keys above the window. */
  readonly above: number;
  /** Keys that are 0. */
  readonly zeros: number;
  /** Keys that equal the guess. */
  readonly equal: number;
  /** How many keys the thread's list held before and after; undefined if they did not all fit. */
  readonly listed?: readonly [number, number];
}

/** The coarse bins of a sample that hold keys, in rising order. */
export interface SampledKeys {
  readonly bins: Uint32Array;
  readonly counts: Uint32Array;
  /** One key of each bin. */
  readonly keys: Uint32Array;
}

/** Count, per lane, the keys that equal the given one. */
export interface EqualJob {
  readonly stage: "equal";
  readonly inputs: ChunkInputs;
  readonly scores?: Scores;
  readonly lanes: readonly ({ readonly row: number; readonly key: number } | undefined)[];
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

/** Hand over parts of the accumulator `id` and free it; every thread answers it. */
export interface CollectJob {
  readonly stage: "collect";
  readonly id: string;
  /** Per lane: whether what it counted or listed is wanted. */
  readonly wanted: readonly boolean[];
}

/** Forget what was kept on GPUs under names that begin so. */
export interface DropJob {
  readonly stage: "drop";
  readonly prefix: string;
}

/** Look for a GPU. */
export interface AdapterJob {
  readonly stage: "adapter";
}

/** Any work on a chunk. */
export type ChunkJob =
  | MapJob
  | ReduceJob
  | HistogramJob
  | SampleJob
  | EqualJob
  | ConvertJob
  | ScanJob
  | CollectJob
  | DropJob
  | AdapterJob;

/** A value that is not finite. */
export interface NonFiniteFault {
  /** Index of the model (those of statistics follow), -1 for the base, undefined for the result. */
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
  /** collect: per lane the bins' counts or the listed keys; undefined where there are none. */
  readonly collected?: readonly (Uint32Array | undefined)[];
  /** histogram, collect: the thread that answers. */
  readonly thread?: string;
  /** histogram: per lane, undefined where no window was counted. */
  readonly tallies?: readonly (WindowTally | undefined)[];
  /** sample: per row. */
  readonly sampled?: readonly SampledKeys[];
  /** equal: counts per lane. */
  readonly counts?: readonly number[];
  /** The chunk holds (or gives) values that are not finite; nothing else is answered. */
  readonly fault?: NonFiniteFault;
  /** reduce: the inputs stay on the thread's GPU. */
  readonly kept?: KeptInputs;
  /** adapter: the GPU that the host prefers; absent where there is none. */
  readonly adapter?: FoundAdapter;
  /** map, reduce: why it did not run on the GPU, though it should have. */
  readonly fallback?: string;
  /** An input that the thread was to read, or had kept, is not there; but for `fallback` nothing else is answered. */
  readonly unread?: boolean;
  /** The input buffers, given back. */
  readonly spent?: readonly ArrayBuffer[];
}

/** Runs the smallest jobs on the thread that asks. */
export interface SmallJobs {
  /** Bytes of inputs that a small job has at most. */
  readonly limit: number;
  /**
   * Runs a job on a whole tensor; its inputs are lent.
   *
   * @returns Undefined if it is none for this thread.
   */
  run(job: ChunkJob): Promise<ChunkResult | undefined>;
}

/** Runs jobs, here or in workers. */
export interface ChunkExecutor {
  /** How many jobs run at the same time. */
  readonly width: number;
  /** Whether jobs may say where their inputs are instead of bringing them. */
  readonly readsPlaces?: boolean;
  /** What the next merge runs on. */
  readonly engine?: () => Promise<EngineChoice>;
  /**
   * Runs a job; the input buffers are given away.
   *
   * @param size How large the work is that it belongs to, in bytes: small work does not wait for large.
   */
  run(job: ChunkJob, size?: number): Promise<ChunkResult>;
  /** Takes jobs that are not worth a message; absent where every job runs on this thread, or none may. */
  readonly small?: SmallJobs;
  /** Runs a job on every thread. */
  broadcast(job: ChunkJob): Promise<ChunkResult[]>;
  /** Starts the threads, and loads the engine that the first job needs. */
  warm(): Promise<void>;
  close(): Promise<void>;
}
