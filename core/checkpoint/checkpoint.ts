/**
 * What amalgam knows of an opened checkpoint: the tensors of its header and where their bytes lie.
 *
 * @module
 */
import type { DType } from "../tensor/dtype.ts";
import type { ByteSource } from "./byte_source.ts";
import type { OnnxOutline } from "./onnx_outline.ts";

/** What the numbers of a checkpoint stand for. */
export type CheckpointKind = "weights" | "task_vector" | "adapter" | "statistics";

/** One tensor of an opened checkpoint. */
export interface StoredTensor {
  readonly name: string;
  readonly dtype: DType;
  /** Row-major shape; `[]` is a scalar. */
  readonly shape: readonly number[];
  /** Where its bytes lie: `source.slice(start, end)` in little-endian order. */
  readonly source: ByteSource;
  readonly start: number;
  readonly end: number;
}

/** An opened checkpoint; its header was read and checked, no tensor byte was read. */
export interface Checkpoint {
  readonly kind: CheckpointKind;
  /** Tensors by name, in the order of their bytes. */
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** The header's `__metadata__`; empty where there is none. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Size of the whole file or files in bytes. */
  readonly byteLength: number;
  /** The model that the tensors are the initializers of, where the file is one. */
  readonly model?: OnnxOutline;
  /** Of an adapter: the text of its `adapter_config.json`, where one was found. */
  readonly config?: string;
  /** Whether tensors that it lacks are left unchanged by it, as by the task vector of an adapter. */
  readonly isPartial?: boolean;
  /** Releases every source. */
  close(): void;
}
