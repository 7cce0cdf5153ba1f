/**
 * Checkpoints made from parameters: the weights that came with a graph, and the result of tuning.
 *
 * @module
 */
import type { Bytes, ByteSource } from "../checkpoint/byte_source.ts";
import type { Checkpoint, StoredTensor } from "../checkpoint/checkpoint.ts";
import { memorySource } from "../checkpoint/memory_source.ts";
import { layoutSafetensors } from "../checkpoint/write_safetensors.ts";
import type { ParametricModel } from "../gradient/parameters.ts";
import type { OnnxTensor } from "../onnx/model.ts";
import type { DType } from "../tensor/dtype.ts";

/** Bytes read at once from the start checkpoint. */
const PIECE = 1 << 20;

/** The weights of a graph that comes without a checkpoint; tensors private to the task are left out. */
export async function graphWeights(
  { parameters }: ParametricModel,
  signal: AbortSignal,
): Promise<Checkpoint> {
  const tensors = new Map<string, StoredTensor>();
  let byteLength = 0;
  for (const { name, shape, frozen, read } of parameters.values()) {
    if (frozen === "private") continue;
    const values = await read(signal);
    const source: ByteSource = memorySource(new Uint8Array(values.buffer));
    tensors.set(name, { name, dtype: "F32", shape, source, start: 0, end: values.byteLength });
    byteLength += values.byteLength;
  }
  return { kind: "weights", tensors, metadata: {}, byteLength, close: () => {} };
}

/**
 * A safetensors file with the tensors of the start, of which some have new values. Tuned tensors are written as
 * float32, so that steps smaller than a half's precision are not lost.
 *
 * @param tuned New values by name, float32.
 */
export async function* tunedCheckpoint(
  start: Checkpoint,
  tuned: ReadonlyMap<string, OnnxTensor>,
  metadata: Readonly<Record<string, string>>,
  signal: AbortSignal,
): AsyncGenerator<Bytes> {
  const layout = layoutSafetensors(
    [...start.tensors.values()].map(({ name, dtype, shape }) => ({
      name,
      shape,
      dtype: tuned.has(name) ? "F32" satisfies DType : dtype,
    })),
    metadata,
  );
  yield layout.header;
  for (const { name } of layout.tensors) {
    const values = tuned.get(name);
    if (values) {
      yield values.bytes.slice();
      continue;
    }
    const { source, start: first, end } = start.tensors.get(name)!;
    for (let at = first; at < end; at += PIECE) {
      signal.throwIfAborted();
      yield await source.slice(at, Math.min(at + PIECE, end), signal);
    }
  }
}
