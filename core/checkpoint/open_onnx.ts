/**
 * Opens an ONNX model as a checkpoint: its initializers are the tensors.
 *
 * @module
 */
import { readTensor } from "../onnx/read_tensor.ts";
import { Problem } from "../problem.ts";
import { type DType, DTYPES } from "../tensor/dtype.ts";
import type { ByteSource } from "./byte_source.ts";
import type { Checkpoint, StoredTensor } from "./checkpoint.ts";
import { headerFault, type HeaderOptions, quote, sourceMember } from "./header_fault.ts";
import { memorySource } from "./memory_source.ts";
import { type OnnxInitializer, type OnnxOutline, readOnnxOutline } from "./onnx_outline.ts";
import { kindIn, type OpenOptions } from "./open_safetensors.ts";
import type { OpenBeside } from "./open_sharded.ts";
import { isRelativePath } from "./relative_path.ts";

/** Our element types by TensorProto.DataType. */
export const ONNX_DTYPES: ReadonlyMap<number, DType> = new Map([
  [1, "F32"],
  [2, "U8"],
  [3, "I8"],
  [4, "U16"],
  [5, "I16"],
  [6, "I32"],
  [7, "I64"],
  [9, "BOOL"],
  [10, "F16"],
  [11, "F64"],
  [12, "U32"],
  [13, "U64"],
  [16, "BF16"],
  [17, "F8_E4M3"],
  [19, "F8_E5M2"],
]);

/** Values that are not stored as in memory are decoded when the model is opened: up to so many bytes in all. */
const DECODED_LIMIT = 67_108_864;
/** Files of external data; exporters write one, or one for each tensor. */
const FILE_LIMIT = 10_000;

/**
 * Opens a model, which then owns the source and the files of its external data. If this throws, those are
 * closed, and the source is still the caller's to close.
 *
 * @param openBeside Opens a file of external data by its location.
 * @throws {Problem} `invalid-checkpoint`, `unsupported-dtype`, with `source` and `tensor`; whatever
 * `openBeside` throws.
 */
export async function openOnnx(
  source: ByteSource,
  openBeside: OpenBeside,
  options: OpenOptions = {},
): Promise<Checkpoint> {
  const named = options.name === undefined ? {} : { source: options.name };
  const outline = await readOnnxOutline(source, named, options.signal);
  const files = new Map<string, ByteSource>();
  const reading = { outline, files, openBeside, named, options, decoded: { bytes: 0 } };
  try {
    const tensors = new Map<string, StoredTensor>();
    for (const initializer of outline.initializers) {
      const { name, field } = initializer;
      if (name === "" || tensors.has(name)) {
        headerFault(named)(
          `Cannot read the ONNX model as its initializers must have names of their own: current value is ${
            quote(name)
          }`,
          field.start,
          { tensor: name },
        );
      }
      tensors.set(name, await storedTensor(reading, initializer));
    }
    const metadata = Object.fromEntries(outline.metadata.map(({ key, value }) => [key, value]));
    return {
      kind: options.kind ?? kindIn(metadata) ?? "weights",
      tensors,
      metadata,
      byteLength: [...files.values()].reduce(
        (sum, file) => sum + file.byteLength,
        source.byteLength,
      ),
      model: outline,
      close() {
        files.forEach((file) => file.close?.());
        source.close?.();
      },
    };
  } catch (error) {
    files.forEach((file) => file.close?.());
    throw error;
  }
}

interface Reading {
  readonly outline: OnnxOutline;
  readonly files: Map<string, ByteSource>;
  readonly openBeside: OpenBeside;
  readonly named: HeaderOptions;
  readonly options: OpenOptions;
  /** How much was decoded so far. */
  readonly decoded: { bytes: number };
}

async function storedTensor(reading: Reading, initializer: OnnxInitializer): Promise<StoredTensor> {
  const { outline, named } = reading;
  const { name, type, shape, field, values, external } = initializer;
  const fault = headerFault(named);
  const dtype = ONNX_DTYPES.get(type);
  if (dtype === undefined) {
    throw new Problem(
      "unsupported-dtype",
      `Cannot read the tensor ${quote(name)} as its ONNX element type must be one of ${
        [...ONNX_DTYPES.values()].join(", ")
      }: current value is ${type}`,
      { ...sourceMember(named), tensor: name, dtype: String(type) },
    );
  }
  const bytes = shape.reduce((product, size) => product * size, DTYPES[dtype].bytes);
  if (!Number.isSafeInteger(bytes)) {
    fault(
      `Cannot read the tensor ${quote(name)} as it must have fewer than 2^53 bytes`,
      field.start,
      {
        tensor: name,
      },
    );
  }
  const place = external
    ? await externalPlace(reading, initializer, bytes)
    : values
    ? { source: outline.source, ...values }
    : await decodedPlace(reading, initializer, bytes);
  if (place.end - place.start !== bytes) {
    fault(
      `Cannot read the tensor ${quote(name)} as its shape [${
        shape.join(", ")
      }] of ${dtype} needs ` +
        `${bytes} bytes: current value is ${place.end - place.start}`,
      values?.start ?? field.start,
      { tensor: name },
    );
  }
  return { name, dtype, shape, ...place };
}

type Place = Pick<StoredTensor, "source" | "start" | "end">;

async function externalPlace(
  { files, openBeside, named }: Reading,
  { name, field, external }: OnnxInitializer,
  bytes: number,
): Promise<Place> {
  const fault = headerFault(named);
  const location = external?.get("location") ?? "";
  const start = Number(external?.get("offset") ?? 0);
  const length = Number(external?.get("length") ?? bytes);
  if (!isRelativePath(location)) {
    fault(
      `Cannot read the tensor ${
        quote(name)
      } as the file of its values must lie beside the model: ` +
        `current value is ${quote(location)}`,
      field.start,
      { tensor: name },
    );
  }
  let source = files.get(location);
  if (!source) {
    if (files.size === FILE_LIMIT) {
      fault(`Cannot read the ONNX model as it names more than ${FILE_LIMIT} files`, field.start);
    }
    source = await openBeside(location);
    files.set(location, source);
  }
  const end = start + length;
  const inside = Number.isSafeInteger(start) && Number.isSafeInteger(end) && start >= 0 &&
    length >= 0 && end <= source.byteLength;
  if (!inside) {
    fault(
      `Cannot read the tensor ${
        quote(name)
      } as its values must lie inside the ${source.byteLength} ` +
        `bytes of ${quote(location)}: current value is [${start}, ${end})`,
      field.start,
      { tensor: name },
    );
  }
  return { source, start, end };
}

/** Values that are packed as integers of variable length: exporters write small tensors so. */
async function decodedPlace(
  { outline, named, options, decoded }: Reading,
  { name, message, field }: OnnxInitializer,
  bytes: number,
): Promise<Place> {
  decoded.bytes += Math.max(bytes, message.end - message.start);
  if (decoded.bytes > DECODED_LIMIT) {
    headerFault(named)(
      `Cannot read the tensor ${
        quote(name)
      } as values that are not stored as raw data must have at ` +
        `most ${DECODED_LIMIT} bytes in all: current value is ${decoded.bytes}`,
      field.start,
      { tensor: name },
    );
  }
  try {
    const { tensor } = readTensor(
      await outline.source.slice(message.start, message.end, options.signal),
    );
    return { source: memorySource(tensor.bytes), start: 0, end: tensor.bytes.length };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    throw new Problem(error.kind, error.message, {
      ...sourceMember(named),
      byte: field.start,
      ...error.members,
    }, error);
  }
}
