/**
 * Reads and checks the header of a safetensors file; every fault is refused with its byte and tensor.
 *
 * @module
 */
import { DEFAULT_LIMITS, limitProblem } from "../limits.ts";
import { Problem, type ProblemMembers } from "../problem.ts";
import { type DType, DTYPES, isDType } from "../tensor/dtype.ts";
import {
  type CheckpointLimits,
  headerFault,
  type HeaderOptions,
  quote,
  sourceMember,
} from "./header_fault.ts";
import { type JsonFault, type JsonNode, readJsonObject } from "./header_json.ts";
import { recognizeForeign } from "./known_formats.ts";
import { checkLayout } from "./safetensors_layout.ts";
import { decodeUtf8 } from "./utf8.ts";

/** The longest header in bytes that the Python and Rust libraries read. */
export const HEADER_LIMIT = 100_000_000;

const LITTLE_ENDIAN = true;

/** A tensor as the header describes it. */
export interface HeaderTensor {
  readonly name: string;
  readonly dtype: DType;
  /** Row-major shape; `[]` is a scalar. */
  readonly shape: readonly number[];
  /** Where its bytes lie in the file: `[start, end)`, absolute. */
  readonly start: number;
  readonly end: number;
}

/** What a header says. */
export interface SafetensorsHeader {
  /** In the order of their bytes. */
  readonly tensors: readonly HeaderTensor[];
  /** `__metadata__`; empty where there is none. */
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * Reads the length of the JSON text from the first bytes of a file.
 *
 * @param prefix The first bytes of the file: at least 9, or all where the file is shorter. More help to
 * recognize other formats.
 * @param byteLength Size of the file in bytes.
 * @returns Number of bytes of the JSON text, which follows the 8 bytes of its length.
 * @throws {Problem} `unsupported-format` if the file is of another known format; `invalid-checkpoint` if
 * it is too short or the header is too long.
 */
export function readHeaderLength(
  prefix: Uint8Array,
  byteLength: number,
  options: HeaderOptions = {},
): number {
  const fault = headerFault(options);
  const length = lengthIn(prefix);
  const short = isHeaderLengthPossible(prefix);
  const limits = options.limits ?? DEFAULT_LIMITS;
  if (short && length <= BigInt(byteLength - 8) && length > BigInt(limits.header)) {
    const what = "the header";
    throw limitProblem("header", limits.header, what, "its length in bytes", Number(length));
  }
  if (short && length <= BigInt(byteLength - 8) && prefix[8] === 0x7b) return Number(length);
  const foreign = recognizeForeign(prefix, short);
  if (foreign !== undefined) {
    throw new Problem(
      "unsupported-format",
      `${foreign.advice}: current format is ${foreign.format}`,
      {
        ...sourceMember(options),
        format: foreign.format,
      },
    );
  }
  if (length < 0n) {
    fault(
      `Cannot read the header as the file must have at least 8 bytes: current value is ${byteLength}`,
      byteLength,
    );
  }
  if (!short) {
    fault(
      `Cannot read the header as its length must be at most ${HEADER_LIMIT}: current value is ${length}`,
      0,
    );
  }
  const rest = byteLength - 8;
  if (length > BigInt(rest)) {
    fault(
      `Cannot read the header as its length must be at most ${rest}, the bytes that follow it: ` +
        `current value is ${length}`,
      0,
    );
  }
  return Number(length);
}

/** Whether a file may begin with a header of the safetensors format, judged by its length. */
export function isHeaderLengthPossible(prefix: Uint8Array): boolean {
  const length = lengthIn(prefix);
  return length >= 0n && length <= BigInt(HEADER_LIMIT);
}

/** The length that the first bytes give, or -1 if they are too few. */
function lengthIn(prefix: Uint8Array): bigint {
  if (prefix.length < 8) return -1n;
  return new DataView(prefix.buffer, prefix.byteOffset, 8).getBigUint64(0, LITTLE_ENDIAN);
}

/**
 * Parses the JSON text of a header and checks everything that it claims.
 *
 * @param header The JSON text in UTF-8, without the 8 bytes of its length.
 * @param byteLength Size of the whole file in bytes.
 * @throws {Problem} `invalid-checkpoint` with `byte` (absolute) and, where one is to blame, `tensor`;
 * `unsupported-dtype` with `tensor` and `dtype`.
 */
export function parseSafetensorsHeader(
  header: Uint8Array,
  byteLength: number,
  options: HeaderOptions = {},
): SafetensorsHeader {
  const fault = headerFault(options);
  const text = decodeUtf8(header);
  if (typeof text === "number") {
    return fault("Cannot read the header as it must be UTF-8", 8 + text);
  }
  const byteOf = (at: number) => 8 + new TextEncoder().encode(text.slice(0, at)).length;
  const dataStart = 8 + header.length;
  const tensors: HeaderTensor[] = [];
  let metadata: Record<string, string> = {};
  const malformed: JsonFault = (at, reason, path) => {
    const [tensor] = path;
    const named = tensor === undefined || tensor === "__metadata__" ? {} : { tensor };
    const where = path.length === 0 ? "" : ` in ${path.map(quote).join(" / ")}`;
    return fault(
      `Cannot read the header as it must be a JSON object: ${reason}${where}`,
      byteOf(at),
      named,
    );
  };
  const limits = options.limits ?? DEFAULT_LIMITS;
  readJsonObject(text, (name, node) => {
    checkEntry(name, tensors.length, limits);
    const refuse: Refuse = (at, what, members = {}) => {
      const tensor = name === "__metadata__" ? {} : { tensor: name };
      const subject = name === "__metadata__" ? "the metadata" : `the tensor ${quote(name)}`;
      return fault(`Cannot read ${subject} as ${what}`, byteOf(at.at), { ...tensor, ...members });
    };
    if (name === "__metadata__") metadata = readMetadata(node, text, refuse);
    else tensors.push(readTensor(name, node, text, dataStart, refuse, byteOf, options));
  }, malformed);
  return { tensors: checkLayout(tensors, dataStart, byteLength, fault), metadata };
}

/** Refuses one more tensor, or a long name, before anything is kept of it. */
function checkEntry(name: string, before: number, limits: CheckpointLimits): void {
  if (name === "__metadata__") return;
  if (name.length > limits.name) {
    const what = `the tensor ${quote(name)}`;
    throw limitProblem("name", limits.name, what, "the length of its name", name.length);
  }
  if (before >= limits.tensors) {
    const has = "the number of its tensors";
    throw limitProblem("tensors", limits.tensors, "the header", has, `more than ${limits.tensors}`);
  }
}

type Refuse = (at: JsonNode, what: string, members?: ProblemMembers) => never;

function shown(text: string, node: JsonNode): string {
  return node.end - node.at > 80
    ? `${text.slice(node.at, node.at + 80)}…`
    : text.slice(node.at, node.end);
}

function readMetadata(node: JsonNode, text: string, refuse: Refuse): Record<string, string> {
  const what = "it must map strings to strings: current value";
  if (node.type !== "object") return refuse(node, `${what} is ${shown(text, node)}`);
  const entries: [string, string][] = [];
  for (const [key, value] of node.members) {
    if (value.type !== "string") {
      return refuse(value, `${what} of ${quote(key)} is ${shown(text, value)}`);
    }
    entries.push([key, value.value]);
  }
  // Unlike an assignment this makes `__proto__` a key like any other.
  return Object.fromEntries(entries);
}

function readTensor(
  name: string,
  node: JsonNode,
  text: string,
  dataStart: number,
  refuse: Refuse,
  byteOf: (at: number) => number,
  options: HeaderOptions,
): HeaderTensor {
  const current = (at: JsonNode) => `current value is ${shown(text, at)}`;
  if (node.type !== "object") {
    return refuse(node, `its entry must be an object: ${current(node)}`);
  }
  const field = (key: string): JsonNode =>
    node.members.get(key) ?? refuse(node, `its entry must have "${key}": ${current(node)}`);

  const type = field("dtype");
  if (type.type !== "string") return refuse(type, `its dtype must be a string: ${current(type)}`);
  const dtype = type.value;
  if (!isDType(dtype)) {
    throw new Problem(
      "unsupported-dtype",
      `Cannot read the tensor ${quote(name)} as its dtype must be one of ` +
        `${Object.keys(DTYPES).join(", ")}: current value is ${quote(dtype)}`,
      { ...sourceMember(options), byte: byteOf(type.at), tensor: name, dtype },
    );
  }

  const shapeNode = field("shape");
  const shape = readIntegers(shapeNode);
  if (shape === undefined) {
    const what = "its shape must be an array of integers from 0 to 2^53 - 1";
    return refuse(shapeNode, `${what}: ${current(shapeNode)}`);
  }
  let bytes: number = DTYPES[dtype].bytes;
  for (const size of shape) {
    bytes *= size;
    if (!Number.isSafeInteger(bytes)) {
      return refuse(shapeNode, `its size must be below 2^53 bytes: ${current(shapeNode)}`);
    }
  }

  const offsetsNode = field("data_offsets");
  const offsets = readIntegers(offsetsNode);
  const [begin, end] = offsets ?? [];
  if (begin === undefined || end === undefined || offsets?.length !== 2) {
    const what = "its data_offsets must be two integers from 0 to 2^53 - 1";
    return refuse(offsetsNode, `${what}: ${current(offsetsNode)}`);
  }
  if (begin > end) {
    return refuse(offsetsNode, `its data_offsets must not descend: ${current(offsetsNode)}`);
  }
  if (end - begin !== bytes) {
    const what = `its data_offsets must span the ${bytes} bytes of ${dtype} ${
      JSON.stringify(shape)
    }`;
    return refuse(offsetsNode, `${what}: current value is ${end - begin}`);
  }
  return { name, dtype, shape, start: dataStart + begin, end: dataStart + end };
}

/** The numbers of an array that holds only integers, written as such, from 0 to 2^53 - 1. */
function readIntegers(node: JsonNode): number[] | undefined {
  if (node.type !== "array") return undefined;
  const numbers: number[] = [];
  for (const item of node.items) {
    // The literal, as 1.0, 1e1 and -0 are equal to integers once they are numbers.
    if (item.type !== "number" || !/^[0-9]+$/.test(item.literal)) return undefined;
    const value = Number(item.literal);
    if (!Number.isSafeInteger(value)) return undefined;
    numbers.push(value);
  }
  return numbers;
}
