/**
 * The layout of an ONNX model that is about to be written: another model's graph with new weights.
 *
 * Everything but initializers and our own metadata is taken over byte by byte, so nothing of the graph is
 * lost, known or unknown.
 *
 * @module
 */
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { FIELD } from "../onnx/schema.ts";
import { type Fault, Problem } from "../problem.ts";
import type { DType } from "../tensor/dtype.ts";
import type { Bytes, ByteSource } from "./byte_source.ts";
import type { StoredTensor } from "./checkpoint.ts";
import { type FilePart, partLength } from "./file_parts.ts";
import {
  type GraphPlace,
  type GraphPlaces,
  isHeld,
  placesByName,
  transposed,
} from "./graph_places.ts";
import { quote } from "./header_fault.ts";
import type { FileRange, OnnxInitializer, OnnxOutline } from "./onnx_outline.ts";
import { ONNX_DTYPES } from "./open_onnx.ts";
import type { PlacedTensor } from "./write_safetensors.ts";

/** A file known before its first tensor is computed. */
export interface OnnxLayout {
  readonly parts: readonly FilePart[];
  readonly byteLength: number;
}

/** A serialized ModelProto must be smaller. */
const LIMIT = 2 ** 31;
/** How many faults a problem document lists. */
const LISTED = 20;
/** How a file's own metadata is named; the key `format` says how safetensors were made. */
const OWN_METADATA = /^(?:kind$|amalgam\.)/;

/** The model whose graph is taken. */
export interface GraphFile {
  readonly model: OnnxOutline;
  /** Its initializers, and where their values lie, be it in another file. */
  readonly tensors: ReadonlyMap<string, StoredTensor>;
}

/**
 * Lays out the model.
 *
 * @param graph The model whose graph is taken.
 * @param tensors In the order in which their bytes come.
 * @param metadata Becomes `metadata_props`, the keys `kind` and `amalgam.*` of it.
 * @param places Where each tensor goes; other initializers stay as they are. By default each goes where its
 * name is, and no initializer may stay.
 * @throws {Problem} `mismatch` with `errors` if the tensors do not fit the graph; `too-large` beyond 2 GiB.
 */
export function layoutOnnx(
  graph: GraphFile,
  tensors: readonly PlacedTensor[],
  metadata: Readonly<Record<string, string>>,
  places?: GraphPlaces,
): OnnxLayout {
  const placed = places ?? placesByName(tensors);
  checkPlaces(graph, tensors, placed, places === undefined);
  const { model } = graph;
  const { source, field } = model;
  const taken = new Set([...placed.values()].flat().map(({ initializer }) => initializer));
  const stays = ({ name, external }: OnnxInitializer) => !taken.has(name) && !external;
  const moved = model.initializers.filter((initializer) => !stays(initializer));
  const inside: FilePart[] = [
    ...copies(source, model.graph, moved.map((initializer) => initializer.field)),
    // The result is one file: values that lay beside the model now lie in it.
    ...moved.filter(({ name }) => !taken.has(name)).flatMap(({ name }) =>
      storedParts(graph.tensors.get(name)!)
    ),
    ...tensors.flatMap((tensor) => tensorParts(tensor, placed.get(tensor.name) ?? [])),
  ];
  const replaced = model.metadata
    .filter(({ key }) => OWN_METADATA.test(key))
    .map((entry) => entry.field);
  const parts: FilePart[] = [
    ...copies(source, { start: 0, end: field.start }, replaced),
    { kind: "bytes", bytes: lengthTag(FIELD.model.graph, lengthOf(inside)) },
    ...inside,
    ...copies(source, { start: field.end, end: source.byteLength }, replaced),
    { kind: "bytes", bytes: metadataProps(metadata) },
  ];
  const byteLength = lengthOf(parts);
  if (byteLength < LIMIT) return { parts, byteLength };
  throw new Problem(
    "too-large",
    `Cannot write the ONNX model as one must have fewer than ${LIMIT} bytes, ask for safetensors: ` +
      `current value is ${byteLength}`,
    { limit: LIMIT - 1, value: byteLength },
  );
}

function checkPlaces(
  { model: { initializers } }: GraphFile,
  tensors: readonly PlacedTensor[],
  places: GraphPlaces,
  complete: boolean,
): void {
  const faults: Fault[] = [];
  const fault = (name: string, what: string) =>
    faults.push({
      path: "output.format",
      message: `Cannot write the tensor ${quote(name)} into the graph as ${what}`,
    });
  const open = new Map(initializers.map((initializer) => [initializer.name, initializer]));
  for (const { name, dtype } of tensors) {
    for (const place of places.get(name) ?? []) {
      const initializer = open.get(place.initializer);
      open.delete(place.initializer);
      if (!initializer) {
        fault(name, `it has no initializer of that name`);
        continue;
      }
      const expected = `${ONNX_DTYPES.get(initializer.type)} [${initializer.shape.join(", ")}]`;
      const current = `${dtype} [${place.shape.join(", ")}]`;
      // Other nodes expect the type; a graph whose weights alone are converted does not run.
      if (current !== expected) fault(name, `it must be ${expected}: current value is ${current}`);
    }
  }
  if (complete) {
    for (const name of open.keys()) fault(name, "the result leaves it out, and the graph needs it");
  }
  const [first] = faults;
  if (first === undefined) return;
  const more = faults.length === 1 ? "" : ` (and ${faults.length - 1} more)`;
  throw new Problem("mismatch", first.message + more, {
    count: faults.length,
    errors: faults.slice(0, LISTED),
  });
}

/** The parts of a range that lie outside of the fields to be left out, which come in order. */
function copies(
  source: ByteSource,
  { start, end }: FileRange,
  without: readonly FileRange[],
): FilePart[] {
  const parts: FilePart[] = [];
  let at = start;
  const copyTo = (to: number) => {
    if (to > at) parts.push({ kind: "copy", source, range: { start: at, end: to } });
  };
  for (const hole of without) {
    if (hole.start < start || hole.end > end) continue;
    copyTo(hole.start);
    at = hole.end;
  }
  copyTo(end);
  return parts;
}

function tensorParts(tensor: PlacedTensor, places: readonly GraphPlace[]): FilePart[] {
  const { dtype, start, end } = tensor;
  const length = end - start;
  const heads = places.map(({ initializer, shape }) => headOf(initializer, dtype, shape, length));
  const [head] = heads;
  if (!head) return [{ kind: "dropped", length }];
  if (!isHeld(places)) return [{ kind: "bytes", bytes: head }, { kind: "tensors", length }];
  return [{
    kind: "held",
    length,
    written: heads.reduce((sum, bytes) => sum + bytes.length + length, 0),
    *arrange(bytes) {
      for (const [i, place] of places.entries()) {
        yield new Uint8Array(heads[i]!);
        yield place.transposed ? transposed(bytes, tensor) : new Uint8Array(bytes);
      }
    },
  }];
}

function storedParts({ name, dtype, shape, source, start, end }: StoredTensor): FilePart[] {
  return [
    { kind: "bytes", bytes: headOf(name, dtype, shape, end - start) },
    { kind: "copy", source, range: { start, end } },
  ];
}

/** What comes before the values of an initializer. */
function headOf(name: string, dtype: DType, shape: readonly number[], length: number): Bytes {
  const code = [...ONNX_DTYPES].find(([, type]) => type === dtype)![0];
  const writer = new BinaryWriter();
  for (const size of shape) writer.tag(FIELD.tensor.dimension, WireType.Varint).int64(size);
  writer.tag(FIELD.tensor.dataType, WireType.Varint).int32(code);
  writer.tag(FIELD.tensor.name, WireType.LengthDelimited).string(name);
  const head = joined(writer.finish(), lengthTag(FIELD.tensor.rawData, length));
  return joined(lengthTag(FIELD.graph.initializer, head.length + length), head);
}

/** The tag of a field and the length of what follows. */
function lengthTag(field: number, length: number): Bytes {
  return new BinaryWriter().tag(field, WireType.LengthDelimited).uint32(length >>> 0).finish();
}

function metadataProps(metadata: Readonly<Record<string, string>>): Bytes {
  const writer = new BinaryWriter();
  for (const key of Object.keys(metadata).filter((name) => OWN_METADATA.test(name)).sort()) {
    const entry = new BinaryWriter()
      .tag(FIELD.entry.key, WireType.LengthDelimited).string(key)
      .tag(FIELD.entry.value, WireType.LengthDelimited).string(metadata[key] ?? "");
    writer.tag(FIELD.model.metadata, WireType.LengthDelimited).bytes(entry.finish());
  }
  return new Uint8Array(writer.finish());
}

function joined(first: Uint8Array, second: Uint8Array): Bytes {
  const bytes = new Uint8Array(first.length + second.length);
  bytes.set(first);
  bytes.set(second, first.length);
  return bytes;
}

function lengthOf(parts: readonly FilePart[]): number {
  return parts.reduce((sum, part) => sum + partLength(part), 0);
}
