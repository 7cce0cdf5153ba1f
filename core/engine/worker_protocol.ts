/**
 * The messages between the pool and its workers.
 *
 * @module
 */
import type { ProblemKind } from "../problem.ts";
import type { EngineName } from "./engine_name.ts";
import type { ChunkInputs, ChunkJob, ChunkResult } from "./chunk_job.ts";
import type { LentBytes, Loans } from "./lent_memory.ts";

/** The first message to a worker. */
export interface WorkerStart {
  readonly engine: EngineName;
  /** Bytes that its GPU may keep from pass to pass. */
  readonly deviceBytes: number;
  /** Address of the module that reads places; see {@linkcode PlaceReaderModule}. */
  readonly reader?: string;
}

/** The runtime's code, if it could be compiled: the answer to {@linkcode RuntimeRequest}. */
export interface WorkerRuntime {
  readonly module: WebAssembly.Module | undefined;
}

/** A worker's first graph for ONNX Runtime has come; most merges need none. */
export interface RuntimeRequest {
  readonly needs: "runtime";
}

/** A job with its number. */
export interface WorkerRequest {
  readonly id: number;
  readonly job: ChunkJob | "warm";
  /** Where its inputs are that lie in shared memory; see `LentJob`. */
  readonly lent?: readonly (readonly LentBytes[])[];
  readonly loans?: Loans;
}

/** The answer to the job of that number: one of the three. */
export interface WorkerReply {
  readonly id: number;
  readonly result?: ChunkResult;
  readonly problem?: { readonly kind: ProblemKind; readonly detail: string };
  readonly error?: string;
}

/** The buffers of a result, which go to the other side instead of being copied. */
export function buffersOf(result: ChunkResult): ArrayBuffer[] {
  const buffers: ArrayBuffer[] = [];
  if (result.bytes) buffers.push(result.bytes.buffer);
  if (result.sums) buffers.push(result.sums.buffer as ArrayBuffer);
  for (const words of result.collected ?? []) {
    if (words) buffers.push(words.buffer as ArrayBuffer);
  }
  for (const { bins, counts, keys } of result.sampled ?? []) {
    buffers.push(...[bins, counts, keys].map(({ buffer }) => buffer as ArrayBuffer));
  }
  buffers.push(...result.spent ?? []);
  return buffers;
}

/** Bytes of the inputs of a job that are there. */
export function inputBytes({ base, models }: ChunkInputs): number {
  return models.reduce((sum, { bytes }) => sum + bytes.length, base?.bytes.length ?? 0);
}

/** The input buffers of a job. */
export function inputBuffersOf(inputs: ChunkInputs): ArrayBuffer[] {
  const all = inputs.base ? [...inputs.models, inputs.base] : inputs.models;
  return all.filter(({ at, bytes }) => at === undefined && bytes.length > 0)
    .map(({ bytes }) => bytes.buffer);
}
