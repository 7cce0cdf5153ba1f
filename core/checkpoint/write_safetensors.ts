/**
 * The layout of a safetensors file that is about to be written: its header and exact size.
 *
 * @module
 */
import { Problem } from "../problem.ts";
import { type DType, DTYPES } from "../tensor/dtype.ts";
import type { Bytes } from "./byte_source.ts";
import { quote } from "./header_fault.ts";
import { HEADER_LIMIT } from "./safetensors_header.ts";

const LITTLE_ENDIAN = true;

/** A tensor to be written. */
export interface TensorToWrite {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
}

/** A tensor with its place in the file. */
export interface PlacedTensor extends TensorToWrite {
  /** Absolute offsets of its bytes: `[start, end)`. */
  readonly start: number;
  readonly end: number;
}

/** A file known before its first tensor is computed. */
export interface SafetensorsLayout {
  /** The length of the JSON text (8 bytes, little-endian), then the text, padded to a multiple of 8. */
  readonly header: Bytes;
  /** In the order in which their bytes follow the header, without gaps. */
  readonly tensors: readonly PlacedTensor[];
  /** Size of the whole file in bytes. */
  readonly byteLength: number;
}

/** The order of the Rust library, wide types first, so that every tensor is aligned to its type. */
const DTYPE_ORDER: readonly DType[] = [
  "U64",
  "I64",
  "F64",
  "F32",
  "U32",
  "I32",
  "BF16",
  "F16",
  "U16",
  "I16",
  "F8_E4M3",
  "F8_E5M2",
  "I8",
  "U8",
  "BOOL",
];

/**
 * Lays out a file: tensors by element type and then by name, as the Python library orders them, so that
 * equal content gives equal bytes whatever the order of the arguments.
 *
 * @param tensors Any order; names must differ.
 * @param metadata Becomes `__metadata__`, with its keys sorted; left out if empty.
 * @throws {Problem} `invalid-checkpoint` with `tensor` if a name cannot be written or stands twice or a
 * shape is not one; `too-large` if the header is longer than the libraries read.
 */
export function layoutSafetensors(
  tensors: readonly TensorToWrite[],
  metadata: Readonly<Record<string, string>>,
): SafetensorsLayout {
  const sorted = tensors.toSorted((a, b) =>
    (a.dtype === b.dtype ? 0 : DTYPE_ORDER.indexOf(a.dtype) - DTYPE_ORDER.indexOf(b.dtype)) ||
    compareNames(a.name, b.name)
  );
  const parts: string[] = [];
  const keys = Object.keys(metadata).toSorted(compareNames);
  if (keys.length > 0) {
    const pairs = keys.map((key) => `${written(key)}:${written(metadata[key] ?? "")}`);
    parts.push(`"__metadata__":{${pairs.join(",")}}`);
  }
  const seen = new Set(["__metadata__"]);
  let end = 0;
  const placed = sorted.map((tensor) => {
    const { name, dtype, shape } = tensor;
    if (seen.has(name)) {
      refuse(tensor, `its name must differ from the others and from __metadata__`, quote(name));
    }
    seen.add(name);
    const start = end;
    end += byteCount(tensor);
    const type = `"dtype":"${dtype}","shape":[${shape.join(",")}]`;
    parts.push(`${written(name)}:{${type},"data_offsets":[${start},${end}]}`);
    return { name, dtype, shape, start, end };
  });
  const header = frame(`{${parts.join(",")}}`);
  const base = header.length;
  return {
    header,
    tensors: placed.map((tensor) => ({
      ...tensor,
      start: base + tensor.start,
      end: base + tensor.end,
    })),
    byteLength: base + end,
  };
}

function frame(json: string): Bytes {
  const text = new TextEncoder().encode(json);
  const length = Math.ceil(text.length / 8) * 8;
  if (length > HEADER_LIMIT) {
    throw new Problem(
      "too-large",
      `Cannot write the header as its length must be at most ${HEADER_LIMIT}: current value is ${length}`,
      { limit: HEADER_LIMIT, value: length },
    );
  }
  const header = new Uint8Array(8 + length).fill(0x20, 8);
  new DataView(header.buffer).setBigUint64(0, BigInt(length), LITTLE_ENDIAN);
  header.set(text, 8);
  return header;
}

function byteCount(tensor: TensorToWrite): number {
  let bytes: number = DTYPES[tensor.dtype].bytes;
  for (const size of tensor.shape) {
    bytes *= size;
    if (!Number.isSafeInteger(size) || size < 0 || !Number.isSafeInteger(bytes)) {
      refuse(tensor, "its shape must hold integers and fewer than 2^53 bytes", `[${tensor.shape}]`);
    }
  }
  return bytes;
}

function refuse(tensor: TensorToWrite, what: string, value: string): never {
  const detail = `Cannot write the tensor ${
    quote(tensor.name)
  } as ${what}: current value is ${value}`;
  throw new Problem("invalid-checkpoint", detail, { tensor: tensor.name });
}

/** A JSON string; an unpaired surrogate would make the header unreadable for the other libraries. */
function written(text: string): string {
  if (text.isWellFormed()) return JSON.stringify(text);
  throw new Problem(
    "invalid-checkpoint",
    `Cannot write the header as its strings must be valid Unicode: current value is ${quote(text)}`,
    { tensor: text },
  );
}

/** By code points, which is the order of their UTF-8 bytes; `<` compares UTF-16 units. */
function compareNames(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    if (a.charCodeAt(i) === b.charCodeAt(i)) continue;
    // Where the units differ inside a pair, the first halves are equal and the second ones decide.
    return (a.codePointAt(i) ?? 0) - (b.codePointAt(i) ?? 0);
  }
  return a.length - b.length;
}
