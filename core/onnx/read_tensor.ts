/**
 * Reads a TensorProto.
 *
 * @module
 */
import type { BinaryReader } from "@bufbuild/protobuf/wire";
import { Problem } from "../problem.ts";
import { elementBytes } from "./element_type.ts";
import type { ElementType, ExternalLocation, OnnxTensor } from "./model.ts";
import { fields, integer, repeated, text } from "./read_fields.ts";
import { FIELD, ONNX_TYPE } from "./schema.ts";

/** TensorProto.DataLocation.EXTERNAL. */
const EXTERNAL = 1;

const NAMES = new Map<number, ElementType>(
  Object.entries(ONNX_TYPE).map(([name, code]) => [code, name as ElementType]),
);

/**
 * The name of an element type.
 *
 * @throws {Problem} `unsupported-dtype` for float8, 4-bit and complex types.
 */
export function elementType(code: number, tensor: string): ElementType {
  const type = NAMES.get(code);
  if (type) return type;
  throw new Problem(
    "unsupported-dtype",
    `Cannot read the tensor ${tensor} as its element type is not supported in graphs: current value is ${code}`,
    { tensor, dtype: String(code) },
  );
}

/**
 * Reads a tensor with its name.
 *
 * @throws {Problem} `invalid-checkpoint` if the byte count does not fit the shape; `unsupported-dtype`.
 */
export function readTensor(bytes: Uint8Array): { name: string; tensor: OnnxTensor } {
  let name = "";
  let code = 0;
  let location = 0;
  let raw: Uint8Array | undefined;
  const shape: number[] = [];
  const floats: number[] = [];
  const doubles: number[] = [];
  const int32s: number[] = [];
  const int64s: bigint[] = [];
  const external: Record<string, string> = {};
  fields(bytes, {
    [FIELD.tensor.name]: (reader) => name = text(reader),
    [FIELD.tensor.dataType]: (reader) => code = integer(reader),
    [FIELD.tensor.dataLocation]: (reader) => location = integer(reader),
    [FIELD.tensor.rawData]: (reader) => raw = reader.bytes(),
    [FIELD.tensor.dimension]: (reader, wire) => repeated(reader, wire, shape, integer),
    [FIELD.tensor.floatData]: (reader, wire) => repeated(reader, wire, floats, (r) => r.float()),
    [FIELD.tensor.doubleData]: (reader, wire) => repeated(reader, wire, doubles, (r) => r.double()),
    [FIELD.tensor.int32Data]: (reader, wire) => repeated(reader, wire, int32s, (r) => r.int32()),
    [FIELD.tensor.int64Data]: (reader, wire) => repeated(reader, wire, int64s, bigint),
    [FIELD.tensor.uint64Data]: (reader, wire) => repeated(reader, wire, int64s, bigint),
    [FIELD.tensor.externalData]: (reader) => {
      let key = "";
      let value = "";
      fields(reader.bytes(), {
        [FIELD.entry.key]: (entry) => key = text(entry),
        [FIELD.entry.value]: (entry) => value = text(entry),
      });
      external[key] = value;
    },
  });
  const type = elementType(code, name);
  const count = shape.reduce((product, size) => product * size, 1);
  if (shape.some((size) => size < 0) || !Number.isSafeInteger(count)) {
    throw new Problem(
      "invalid-checkpoint",
      `Cannot read the tensor ${name} as its shape must hold sizes of at least 0: current value is [${
        shape.join(", ")
      }]`,
      { tensor: name },
    );
  }
  if (type === "string") return { name, tensor: { type, shape, bytes: new Uint8Array() } };
  if (location === EXTERNAL) {
    return { name, tensor: { type, shape, bytes: new Uint8Array(), external: where(external) } };
  }
  const data = raw ?? typedData(type, { floats, doubles, int32s, int64s });
  if (data.byteLength !== count * elementBytes(type)) {
    throw new Problem(
      "invalid-checkpoint",
      `Cannot read the tensor ${name} as its shape [${shape.join(", ")}] needs ${
        count * elementBytes(type)
      } bytes: current value is ${data.byteLength}`,
      { tensor: name },
    );
  }
  return { name, tensor: { type, shape, bytes: data } };
}

function bigint(reader: BinaryReader): bigint {
  return BigInt(reader.int64());
}

function where(external: Readonly<Record<string, string>>): ExternalLocation {
  return {
    location: external["location"] ?? "",
    offset: Number(external["offset"] ?? 0),
    length: external["length"] === undefined ? undefined : Number(external["length"]),
  };
}

function typedData(
  type: ElementType,
  data: { floats: number[]; doubles: number[]; int32s: number[]; int64s: bigint[] },
): Uint8Array {
  switch (type) {
    case "float32":
      return new Uint8Array(Float32Array.from(data.floats).buffer);
    case "float64":
      return new Uint8Array(Float64Array.from(data.doubles).buffer);
    case "int64":
      return new Uint8Array(BigInt64Array.from(data.int64s).buffer);
    case "uint64":
      return new Uint8Array(BigUint64Array.from(data.int64s, (v) => BigInt.asUintN(64, v)).buffer);
    case "uint32":
      return new Uint8Array(Uint32Array.from(data.int64s, Number).buffer);
    case "int32":
      return new Uint8Array(Int32Array.from(data.int32s).buffer);
    case "int16":
    case "uint16":
    case "float16":
    case "bfloat16":
      return new Uint8Array(Uint16Array.from(data.int32s).buffer);
    default:
      return Uint8Array.from(data.int32s);
  }
}
