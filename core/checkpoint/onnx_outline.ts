/**
 * Finds the initializers of an ONNX model without reading their values, so that a model of any size takes
 * the same memory.
 *
 * @module
 */
import { WireType } from "@bufbuild/protobuf/wire";
import { FIELD } from "../onnx/schema.ts";
import { type ByteCursor, byteCursor } from "./byte_cursor.ts";
import type { ByteSource } from "./byte_source.ts";
import { type HeaderFault, headerFault, type HeaderOptions, quote } from "./header_fault.ts";

/** Bytes `[start, end)` of the file. */
export interface FileRange {
  readonly start: number;
  readonly end: number;
}

/** An initializer and where its values lie. */
export interface OnnxInitializer {
  readonly name: string;
  /** TensorProto.DataType. */
  readonly type: number;
  readonly shape: readonly number[];
  /** The field of the graph that holds it, tag included. */
  readonly field: FileRange;
  /** The TensorProto. */
  readonly message: FileRange;
  /** Its values, where they lie in the file as they do in memory. */
  readonly values?: FileRange;
  /** The entries of `external_data`, where the values lie in another file. */
  readonly external?: ReadonlyMap<string, string>;
}

/** The parts of a model's file that matter to its weights. */
export interface OnnxOutline {
  readonly source: ByteSource;
  /** The graph's field of the model, tag included. */
  readonly field: FileRange;
  /** The GraphProto. */
  readonly graph: FileRange;
  /** In the order of the file. */
  readonly initializers: readonly OnnxInitializer[];
  /** The entries of `metadata_props`, with their fields of the model. */
  readonly metadata: readonly { readonly key: string; readonly value: string; field: FileRange }[];
}

/** TensorProto.DataLocation.EXTERNAL. */
const EXTERNAL = 1;
const NAME_LIMIT = 65_536;
const SHAPE_LIMIT = 1024;
/** FLOAT and DOUBLE, whose own fields hold the values as memory does. */
const FLOAT = 1;
const DOUBLE = 11;

/**
 * Reads the structure of a model.
 *
 * @throws {Problem} `invalid-checkpoint` with `byte` if it is damaged or has sparse or segmented weights.
 */
export async function readOnnxOutline(
  source: ByteSource,
  options: HeaderOptions = {},
  signal?: AbortSignal,
): Promise<OnnxOutline> {
  const fault = headerFault(options);
  const walk: Walk = { cursor: byteCursor(source, signal), fault };
  const metadata: { key: string; value: string; field: FileRange }[] = [];
  const initializers: OnnxInitializer[] = [];
  let opsets = 0;
  let found: { field: FileRange; graph: FileRange } | undefined;
  for await (const field of fieldsOf(walk, { start: 0, end: source.byteLength })) {
    if (field.number === FIELD.model.metadata) {
      const entry = await entryOf(walk, field);
      metadata.push({ ...entry, field: { start: field.start, end: field.end } });
    }
    if (field.number === FIELD.model.opsetImport) opsets++;
    if (field.number !== FIELD.model.graph) continue;
    if (found) fault("Cannot read the ONNX model as it has two graphs", field.start);
    found = {
      field: { start: field.start, end: field.end },
      graph: { start: field.value, end: field.end },
    };
    for await (const part of fieldsOf(walk, found.graph)) {
      if (part.number === FIELD.graph.sparse) {
        fault("Cannot read the ONNX model as it has sparse initializers", part.start);
      }
      if (part.number === FIELD.graph.initializer) {
        initializers.push(await initializerOf(walk, part));
      }
    }
  }
  if (!found) return fault("Cannot read the ONNX model as it has no graph", source.byteLength);
  // Every model has one, after its graph: a file that was cut there lacks it.
  if (opsets === 0) {
    fault("Cannot read the ONNX model as it names no operator set", source.byteLength);
  }
  return { source, ...found, initializers, metadata };
}

interface Walk {
  readonly cursor: ByteCursor;
  readonly fault: HeaderFault;
}

/** A field of a message. */
interface Field extends FileRange {
  readonly number: number;
  readonly wire: WireType;
  /** Where its value begins: after the tag, and the length if it has one. */
  readonly value: number;
}

/** The fields of a message in order; each may be read, or left. */
async function* fieldsOf({ cursor, fault }: Walk, message: FileRange): AsyncGenerator<Field> {
  for (let start = message.start; start < message.end;) {
    cursor.seek(start);
    let field: Field;
    try {
      const tag = await cursor.varint(message.end);
      const wire = tag & 7;
      let size = 0;
      if (wire === WireType.LengthDelimited) size = await cursor.varint(message.end);
      const value = cursor.position;
      if (wire === WireType.Varint) {
        await cursor.varint(message.end);
        size = cursor.position - value;
      } else if (wire === WireType.Bit64) size = 8;
      else if (wire === WireType.Bit32) size = 4;
      else if (wire !== WireType.LengthDelimited) throw new RangeError(`type ${wire} of a field`);
      const end = value + size;
      if (end > message.end) throw new RangeError(`a field of ${size} bytes`);
      field = { number: Math.floor(tag / 8), wire, start, value, end };
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      return fault(
        `Cannot read the ONNX model as its bytes must end with its last field: current value is ${error.message}`,
        start,
      );
    }
    yield field;
    start = field.end;
  }
}

async function textOf({ cursor, fault }: Walk, { value, end }: Field): Promise<string> {
  if (end - value > NAME_LIMIT) {
    return fault(
      `Cannot read the ONNX model as a name must have at most ${NAME_LIMIT} bytes: ` +
        `current value is ${end - value}`,
      value,
    );
  }
  cursor.seek(value);
  return new TextDecoder().decode(await cursor.bytes(end - value));
}

/** A StringStringEntryProto. */
async function entryOf(walk: Walk, field: Field): Promise<{ key: string; value: string }> {
  const entry = { key: "", value: "" };
  for await (const part of fieldsOf(walk, { start: field.value, end: field.end })) {
    if (part.number === FIELD.entry.key) entry.key = await textOf(walk, part);
    // A value may hold a whole recipe; one that is longer is no name and is left empty.
    else if (part.number === FIELD.entry.value && part.end - part.value <= NAME_LIMIT) {
      entry.value = await textOf(walk, part);
    }
  }
  return entry;
}

async function numberOf({ cursor }: Walk, { value, end }: Field): Promise<number> {
  cursor.seek(value);
  return await cursor.varint(end);
}

async function initializerOf(walk: Walk, field: Field): Promise<OnnxInitializer> {
  let name = "";
  let type = 0;
  let location = 0;
  let raw: FileRange | undefined;
  const typed: Field[] = [];
  const shape: number[] = [];
  const external = new Map<string, string>();
  const message = { start: field.value, end: field.end };
  for await (const part of fieldsOf(walk, message)) {
    switch (part.number) {
      case FIELD.tensor.name:
        name = await textOf(walk, part);
        break;
      case FIELD.tensor.dataType:
        type = await numberOf(walk, part);
        break;
      case FIELD.tensor.dataLocation:
        location = await numberOf(walk, part);
        break;
      case FIELD.tensor.dimension:
        shape.push(...await dimensionsOf(walk, part));
        break;
      case FIELD.tensor.rawData:
        raw = { start: part.value, end: part.end };
        break;
      case FIELD.tensor.floatData:
      case FIELD.tensor.doubleData:
        typed.push(part);
        break;
      case FIELD.tensor.externalData: {
        const { key, value } = await entryOf(walk, part);
        external.set(key, value);
        break;
      }
      case FIELD.tensor.segment:
        walk.fault("Cannot read the ONNX model as it has tensors in segments", part.start);
    }
  }
  if (shape.some((size) => !Number.isSafeInteger(size))) {
    walk.fault(
      `Cannot read the tensor ${quote(name)} as its shape must hold sizes from 0 to 2^53 - 1: ` +
        `current value is [${shape.join(", ")}]`,
      field.start,
      { tensor: name },
    );
  }
  const values = raw ?? packedValues(type, typed);
  return {
    name,
    type,
    shape,
    field: { start: field.start, end: field.end },
    message,
    ...(location === EXTERNAL ? { external } : values ? { values } : {}),
  };
}

/** Floats in a field of their own lie there as in memory, if that field is packed and stands once. */
function packedValues(type: number, typed: readonly Field[]): FileRange | undefined {
  const [only, ...more] = typed;
  if (only?.wire !== WireType.LengthDelimited || more.length > 0) return undefined;
  const fits = type === FLOAT && only.number === FIELD.tensor.floatData ||
    type === DOUBLE && only.number === FIELD.tensor.doubleData;
  return fits ? { start: only.value, end: only.end } : undefined;
}

async function dimensionsOf(walk: Walk, field: Field): Promise<number[]> {
  if (field.wire === WireType.Varint) return [await numberOf(walk, field)];
  if (field.end - field.value > SHAPE_LIMIT) {
    return walk.fault("Cannot read the ONNX model as a shape is too long", field.start);
  }
  const sizes: number[] = [];
  walk.cursor.seek(field.value);
  while (walk.cursor.position < field.end) sizes.push(await walk.cursor.varint(field.end));
  return sizes;
}
