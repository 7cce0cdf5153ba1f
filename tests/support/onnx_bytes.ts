/**
 * ONNX models by hand, for tests: written with the wire format alone, so that every way of storing values
 * can be tried.
 *
 * @module
 */
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";

/** Writes one field of a message. */
export type WriteField = (writer: BinaryWriter) => void;

/** A field that holds bytes or another message. */
export function bytesField(field: number, value: Uint8Array | readonly WriteField[]): WriteField {
  const content = value instanceof Uint8Array ? value : messageOf(value);
  return (writer) => void writer.tag(field, WireType.LengthDelimited).bytes(content);
}

/** A field that holds text. */
export function textField(field: number, value: string): WriteField {
  return bytesField(field, new TextEncoder().encode(value));
}

/** A field that holds an integer. */
export function numberField(field: number, value: number | bigint): WriteField {
  return (writer) => void writer.tag(field, WireType.Varint).int64(value);
}

/** A message of these fields. */
export function messageOf(fields: readonly WriteField[]): Uint8Array<ArrayBuffer> {
  const writer = new BinaryWriter();
  for (const field of fields) field(writer);
  return new Uint8Array(writer.finish());
}

/** A TensorProto without values; `type` is a TensorProto.DataType. */
export function tensorFields(name: string, type: number, shape: readonly number[]): WriteField[] {
  return [...shape.map((size) => numberField(1, size)), numberField(2, type), textField(8, name)];
}

/** An entry of `external_data` or `metadata_props`. */
export function entryField(field: number, key: string, value: string): WriteField {
  return bytesField(field, [textField(1, key), textField(2, value)]);
}

/** Fields that say that a tensor's values lie in another file. */
export function externalFields(entries: Readonly<Record<string, string | number>>): WriteField[] {
  return [
    ...Object.entries(entries).map(([key, value]) => entryField(13, key, String(value))),
    numberField(14, 1),
  ];
}

/** A model whose graph has one node and these initializers. */
export function modelBytes(
  initializers: readonly (readonly WriteField[])[],
  more: { readonly graph?: readonly WriteField[]; readonly model?: readonly WriteField[] } = {},
): Uint8Array<ArrayBuffer> {
  return messageOf([
    numberField(1, 8),
    textField(2, "by hand"),
    bytesField(7, [
      bytesField(1, [textField(1, "w"), textField(2, "y"), textField(4, "Identity")]),
      textField(2, "graph"),
      ...initializers.map((tensor) => bytesField(5, tensor)),
      bytesField(12, [textField(1, "y")]),
      ...more.graph ?? [],
    ]),
    bytesField(8, [textField(1, ""), numberField(2, 17)]),
    ...more.model ?? [],
  ]);
}

/** Raw little-endian float32 values. */
export function floatBytes(values: readonly number[]): Uint8Array {
  return new Uint8Array(Float32Array.from(values).buffer);
}
