/**
 * Shards in safetensors: every tensor is an array of N rows.
 *
 * @module
 */
import { openSafetensors } from "../../checkpoint/open_safetensors.ts";
import type { ElementType } from "../../onnx/model.ts";
import type { Problem } from "../../problem.ts";
import { type DType, DTYPES, elementCount } from "../../tensor/dtype.ts";
import { rowsOfFile } from "./read_rows.ts";
import { type ShardParts, shardProblem } from "./shard.ts";
import type { ShardFile } from "./shard_file.ts";

const TYPES: Readonly<Record<DType, ElementType | undefined>> = {
  F64: "float64",
  F32: "float32",
  F16: "float16",
  BF16: "bfloat16",
  F8_E4M3: undefined,
  F8_E5M2: undefined,
  I64: "int64",
  I32: "int32",
  I16: "int16",
  I8: "int8",
  U64: "uint64",
  U32: "uint32",
  U16: "uint16",
  U8: "uint8",
  BOOL: "bool",
};

/**
 * The columns of a shard in safetensors; rows are read when they are asked for.
 *
 * @throws {Problem} As {@linkcode openSafetensors} does; `mismatch` if a tensor is a scalar.
 */
export async function safetensorsParts(
  file: ShardFile,
  signal?: AbortSignal,
): Promise<ShardParts> {
  const { name } = file;
  const checkpoint = await openSafetensors(file.source, { name, ...(signal ? { signal } : {}) });
  const columns: ShardParts["columns"][number][] = [];
  const refused = new Map<string, Problem>();
  for (const { name: tensor, dtype, shape, start } of checkpoint.tensors.values()) {
    const type = TYPES[dtype];
    const [rows, ...rowShape] = shape;
    if (rows === undefined) {
      throw shardProblem(
        "mismatch",
        name,
        `Cannot read the array ${JSON.stringify(tensor)} of the shard ${JSON.stringify(name)} as ` +
          "its first dimension must count the rows: current shape is []",
        { tensor },
      );
    }
    if (type === undefined) {
      refused.set(
        tensor,
        shardProblem(
          "unsupported-dtype",
          name,
          `Cannot use the array ${JSON.stringify(tensor)} of the shard ${
            JSON.stringify(name)
          } as ` +
            `8-bit floats are no type of data: current value is ${dtype}`,
          { tensor, dtype },
        ),
      );
      continue;
    }
    const rowBytes = elementCount(rowShape) * DTYPES[dtype].bytes;
    const read = rowsOfFile(file, { start, rows, rowBytes });
    columns.push({ column: { name: tensor, type, shape: rowShape, read }, rows });
  }
  return { columns, refused };
}
