/**
 * Reads the header of a NumPy array file (.npy, format versions 1 to 3).
 *
 * @module
 */
import type { ElementType } from "../../onnx/model.ts";

/** What the header of an array says. */
export interface NpyHeader {
  readonly type: ElementType;
  /** Bytes of one element. */
  readonly width: number;
  readonly bigEndian: boolean;
  /** Whether the first index runs fastest. */
  readonly columnMajor: boolean;
  readonly shape: readonly number[];
  /** Where the elements begin. */
  readonly start: number;
}

/** An array that is well-formed but holds no numbers that can be used. */
export interface RefusedNpy {
  /** What must hold instead, such as `must hold numbers and no pickled Python objects`. */
  readonly refused: string;
  readonly descr: string;
}

/** A header that breaks the format. */
export class NpyFault extends Error {}

/** So many bytes hold every header of plain numbers, whose text has some hundred characters at most. */
export const NPY_HEADER_BYTES = 65_536;

const MAGIC = "\x93NUMPY";
const LITTLE = true;

const TYPES: Readonly<Record<string, readonly [ElementType, number]>> = {
  b1: ["bool", 1],
  u1: ["uint8", 1],
  i1: ["int8", 1],
  u2: ["uint16", 2],
  i2: ["int16", 2],
  u4: ["uint32", 4],
  i4: ["int32", 4],
  u8: ["uint64", 8],
  i8: ["int64", 8],
  f2: ["float16", 2],
  f4: ["float32", 4],
  f8: ["float64", 8],
};

/**
 * Parses a header.
 *
 * @param bytes The beginning of the file, {@linkcode NPY_HEADER_BYTES} or all of it.
 * @throws {NpyFault} If it breaks the format; its message ends with the current value.
 */
export function parseNpyHeader(bytes: Uint8Array): NpyHeader | RefusedNpy {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 10 || String.fromCharCode(...bytes.subarray(0, 6)) !== MAGIC) {
    throw new NpyFault(`it must begin with \\x93NUMPY: current value is ${bytes.length} bytes`);
  }
  const version = bytes[6]!;
  if (version < 1 || version > 3) {
    throw new NpyFault(`its format version must be 1, 2 or 3: current value is ${version}`);
  }
  const textStart = version === 1 ? 10 : 12;
  if (bytes.length < textStart) throw new NpyFault(`its header ends early: ${at(bytes.length)}`);
  const length = version === 1 ? view.getUint16(8, LITTLE) : view.getUint32(8, LITTLE);
  if (textStart + length > bytes.length) {
    const most = bytes.length - textStart;
    throw new NpyFault(`its header must have at most ${most} bytes: current value is ${length}`);
  }
  const start = textStart + length;
  const decoder = new TextDecoder(version === 3 ? "utf-8" : "latin1");
  return describe(decoder.decode(bytes.subarray(textStart, start)), start);
}

/** The value of a key in the text of a dictionary. */
function field(text: string, key: string, value: RegExp): string {
  const found = new RegExp(`['"]${key}['"]\\s*:\\s*(?:${value.source})`).exec(text);
  if (found !== null) return found[1]!;
  throw new NpyFault(`its header must have a valid '${key}': ${at(text.trim().slice(0, 120))}`);
}

function describe(text: string, start: number): NpyHeader | RefusedNpy {
  const descr = field(text, "descr", /(\[|['"][^'"]*['"])/);
  if (descr === "[") {
    return { refused: "must hold plain numbers and no records", descr: "a list of fields" };
  }
  const code = descr.slice(1, -1);
  const order = field(text, "fortran_order", /(True|False)\b/);
  const list = field(text, "shape", /\(([\s\dL,]*)\)/);
  const shape = list.split(",").map((size) => size.trim().replace(/L$/, "")).filter(Boolean);
  const sizes = shape.map(Number);
  if (!sizes.every(Number.isSafeInteger)) {
    throw new NpyFault(`its shape must be a tuple of integers: ${at(`(${list})`)}`);
  }
  const [, sign, name] = /^([<>|=]?)([A-Za-z]\d*)/.exec(code) ?? [];
  const known = name !== undefined && code === sign! + name && Object.hasOwn(TYPES, name)
    ? TYPES[name]
    : undefined;
  if (known === undefined) return { refused: reasonFor(name ?? ""), descr: code };
  const [type, width] = known;
  return {
    type,
    width,
    bigEndian: sign === ">" && width > 1,
    columnMajor: order === "True",
    shape: sizes,
    start,
  };
}

function reasonFor(name: string): string {
  switch (name[0]) {
    case "O":
      return "must hold numbers and no pickled Python objects, which could run code when read";
    case "U":
    case "S":
      return "must hold numbers and no text";
    default:
      return `must have a type of ${Object.keys(TYPES).join(", ")}`;
  }
}

function at(value: unknown): string {
  return `current value is ${value}`;
}
