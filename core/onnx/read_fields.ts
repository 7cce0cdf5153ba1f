/**
 * Walking over the fields of a protocol-buffer message.
 *
 * @module
 */
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";

/** Decodes names; invalid UTF-8 is replaced, as names only need to be told apart. */
export const decoder: TextDecoder = new TextDecoder();

/** Calls the handler of every field that has one and steps over the others. */
export function fields(
  bytes: Uint8Array,
  handlers: Readonly<Record<number, (reader: BinaryReader, wireType: WireType) => unknown>>,
): void {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    const handler = handlers[field];
    if (handler) handler(reader, wireType);
    else reader.skip(wireType, field);
  }
  if (reader.pos > reader.len) throw new RangeError("premature end of the message");
}

/** Reads a signed integer; beyond 2^53 it is rounded, which keeps ends such as INT64_MAX meaningful. */
export function integer(reader: BinaryReader): number {
  return Number(reader.int64());
}

/** Reads text. */
export function text(reader: BinaryReader): string {
  return decoder.decode(reader.bytes());
}

/** Reads a repeated scalar, packed or not. */
export function repeated<T>(
  reader: BinaryReader,
  wireType: WireType,
  into: T[],
  read: (reader: BinaryReader) => T,
): void {
  if (wireType !== WireType.LengthDelimited) {
    into.push(read(reader));
    return;
  }
  const bytes = reader.bytes();
  const packed = new BinaryReader(bytes);
  while (packed.pos < packed.len) into.push(read(packed));
}
