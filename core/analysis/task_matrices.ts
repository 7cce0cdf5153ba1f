/**
 * Reads the task vectors of a matrix, whole and one after the other.
 *
 * @module
 */
import type { Matrix } from "../algebra/matrix.ts";
import { mergeChunks } from "../stream/chunks.ts";
import { graphCalls } from "../stream/coefficients.ts";
import { type MergeContext, type MergeTensor, runChunk } from "../stream/context.ts";
import { inOrder } from "../stream/in_order.ts";

/**
 * The task vector of every model, rounded to float32; undefined for models that lack the tensor.
 *
 * @param present Which model each input is.
 */
export async function* taskMatrices(
  context: MergeContext,
  tensor: MergeTensor,
  present: readonly number[],
  models: number,
): AsyncGenerator<Matrix | undefined> {
  for (let model = 0; model < models; model++) {
    const input = present.indexOf(model);
    yield input < 0 ? undefined : await taskMatrix(context, tensor, input);
  }
}

async function taskMatrix(
  context: MergeContext,
  tensor: MergeTensor,
  input: number,
): Promise<Matrix> {
  const [rows = 1, columns = 1] = tensor.shape;
  const data = new Float64Array(tensor.elements);
  const chosen = tensor.work.inputs.map((_, i) => Number(i === input));
  const call = graphCalls(tensor, "chosen", () => ({ chosen }), []);
  const chunks = inOrder(
    mergeChunks(tensor, context.chunkElements),
    context.executor.width,
    async (chunk) => {
      const { bytes } = await runChunk(context, tensor, chunk, (inputs) => ({
        stage: "map",
        inputs,
        ...call(chunk),
        double: false,
        out: "F32",
        saturate: false,
        agreed: false,
      }));
      return { chunk, bytes: bytes! };
    },
  );
  for await (const { chunk, bytes } of chunks) {
    data.set(new Float32Array(bytes.buffer, bytes.byteOffset, chunk.count), chunk.start);
  }
  return { rows, columns, data };
}
