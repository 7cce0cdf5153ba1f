/**
 * The port through which tuning and evaluation read a task's rows.
 *
 * @module
 */
import type { Typed } from "../gradient/observe.ts";
import type { OnnxTensor, Value } from "../onnx/model.ts";

/** Rows as the graph takes them. */
export interface Batch {
  /** The graph's data inputs, rows first. */
  readonly inputs: Readonly<Record<Value, OnnxTensor>>;
  /** What the loss compares with, rows first. */
  readonly target: OnnxTensor;
}

/** The rows of a task, bound to the inputs of its graph. */
export interface TaskData {
  /** Number of rows, at least 1. */
  readonly rows: number;
  /** Type and shape of one row of every data input. */
  readonly inputs: ReadonlyMap<Value, Typed>;
  /** Type and shape of one row of the target. */
  readonly target: Typed;
  /** Reads rows by index, in the order asked. */
  batch(indices: Uint32Array, signal: AbortSignal): Promise<Batch>;
}
