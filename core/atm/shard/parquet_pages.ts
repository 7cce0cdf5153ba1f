/**
 * Walks the pages of one column chunk of a Parquet file.
 *
 * @module
 */
import type { CompressionCodec, PageHeader } from "hyparquet";
import { parquetHeader } from "hyparquet/src/column.js";
import type { ParquetColumn } from "./parquet_columns.ts";
import { decompressorOf } from "./parquet_codec.ts";
import { decodeRuns } from "./parquet_runs.ts";
import { decodeValues, plainValues, type StoredValues } from "./parquet_values.ts";

/** Where the pages of a column lie within a row group, and how they are compressed. */
export interface ColumnChunk {
  readonly bytes: Uint8Array;
  readonly codec: CompressionCodec;
  /** Number of values, also those that are missing or stand for an empty list. */
  readonly values: number;
}

/** The decoded values of one data page. */
export interface Page {
  /** 0 where a row begins; the depth of the list that goes on elsewhere; empty for columns without lists. */
  readonly repetitions: Uint8Array;
  readonly values: StoredValues;
}

/** A value that the column lacks. */
export class MissingValue extends Error {
  /** Its place among all values of the chunk. */
  readonly place: number;

  constructor(place: number) {
    super(`A value is missing: current value is null at ${place}`);
    this.place = place;
  }
}

/** Page headers of shards have some dozen bytes, with statistics some hundred. */
const HEADER_LIMIT = 16_384;
/** The most bytes that a page may decompress to (64 MiB); writers aim at 1 MiB. */
const PAGE_LIMIT = 67_108_864;
const LITTLE = true;

/**
 * Decodes page after page.
 *
 * @throws {MissingValue} If a value is null, or a list is null or empty.
 * @throws {Error} If a page is malformed.
 */
export async function* decodePages(
  chunk: ColumnChunk,
  column: ParquetColumn,
): AsyncGenerator<Page> {
  const decompress = await decompressorOf(chunk.codec);
  let dictionary: StoredValues | undefined;
  let at = 0;
  for (let done = 0; done < chunk.values;) {
    const { header, start } = readHeader(chunk.bytes, at);
    at = start + header.compressed_page_size;
    const stored = chunk.bytes.subarray(start, at);
    if (header.type === "DICTIONARY_PAGE") {
      const page = decompress(stored, header.uncompressed_page_size);
      const count = countOf(header.dictionary_page_header, page.length * 8);
      dictionary = plainValues(page, count, column.element.type!);
    } else if (header.type === "DATA_PAGE" || header.type === "DATA_PAGE_V2") {
      const described = header.data_page_header_v2 ?? header.data_page_header;
      const count = countOf(described, chunk.values - done);
      const parts = header.type === "DATA_PAGE"
        ? splitPage(decompress(stored, header.uncompressed_page_size), header, column)
        : splitPage2(stored, header, decompress);
      const repetitions = new Uint8Array(column.lists > 0 ? count : 0);
      decodeRuns(parts.repetitions, bitWidth(column.lists), repetitions);
      checkPresence(parts.definitions, column.definition, count, done);
      const { encoding } = described!;
      const page = { bytes: parts.values, encoding, count };
      yield { repetitions, values: decodeValues(page, column.element, dictionary) };
      done += count;
    }
  }
}

interface FoundHeader {
  readonly header: PageHeader;
  /** Where the page's bytes begin. */
  readonly start: number;
}

function readHeader(bytes: Uint8Array, at: number): FoundHeader {
  const length = Math.min(bytes.length - at, HEADER_LIMIT);
  const reader = { view: new DataView(bytes.buffer, bytes.byteOffset + at, length), offset: 0 };
  const header = parquetHeader(reader);
  const start = at + reader.offset;
  const { compressed_page_size: packed, uncompressed_page_size: size } = header;
  if (!(Number.isInteger(packed) && packed >= 0 && start + packed <= bytes.length)) {
    throw new RangeError(
      `A page must have at most ${bytes.length - start} bytes: current value is ${packed}`,
    );
  }
  if (!(Number.isInteger(size) && size >= 0 && size <= PAGE_LIMIT)) {
    throw new RangeError(
      `A page must decompress to at most ${PAGE_LIMIT} bytes: current value is ${size}`,
    );
  }
  return { header, start };
}

function countOf(header: { readonly num_values: number } | undefined, most: number): number {
  const count = header?.num_values;
  if (count !== undefined && Number.isInteger(count) && count >= 0 && count <= most) return count;
  throw new RangeError(`A page must have at most ${most} values: current value is ${count}`);
}

interface PageParts {
  readonly repetitions: { readonly bytes: Uint8Array; readonly at: number; readonly end: number };
  readonly definitions: { readonly bytes: Uint8Array; readonly at: number; readonly end: number };
  readonly values: Uint8Array;
}

/** In the first version of data pages each kind of levels has its length before it, if it is there at all. */
function splitPage(page: Uint8Array, { data_page_header }: PageHeader, column: ParquetColumn) {
  const view = new DataView(page.buffer, page.byteOffset, page.byteLength);
  let at = 0;
  const part = (present: boolean, encoding: string | undefined) => {
    if (!present) return { bytes: page, at, end: at };
    if (encoding !== "RLE") {
      throw new Error(`Levels must be encoded as RLE: current value is ${encoding}`);
    }
    const start = at + 4;
    at = start + view.getUint32(at, LITTLE);
    if (at > page.length) throw new RangeError(`Levels end early: current value is byte ${at}`);
    return { bytes: page, at: start, end: at };
  };
  const repetitions = part(column.lists > 0, data_page_header?.repetition_level_encoding);
  const definitions = part(column.definition > 0, data_page_header?.definition_level_encoding);
  return { repetitions, definitions, values: page.subarray(at) };
}

/** In the second version the levels are not compressed and their lengths stand in the header. */
function splitPage2(
  stored: Uint8Array,
  { data_page_header_v2: header, uncompressed_page_size: size }: PageHeader,
  decompress: (bytes: Uint8Array, length: number) => Uint8Array,
): PageParts {
  const first = header?.repetition_levels_byte_length ?? 0;
  const end = first + (header?.definition_levels_byte_length ?? 0);
  if (!(first >= 0 && first <= end && end <= stored.length && end <= size)) {
    throw new RangeError(`Levels must end inside their page: current value is byte ${end}`);
  }
  const values = stored.subarray(end);
  return {
    repetitions: { bytes: stored, at: 0, end: first },
    definitions: { bytes: stored, at: first, end },
    // An empty compressed part is no valid frame of some codecs.
    values: header?.is_compressed === false || values.length === 0
      ? values
      : decompress(values, size - end),
  };
}

function checkPresence(
  encoded: PageParts["definitions"],
  present: number,
  count: number,
  done: number,
): void {
  if (present === 0) return;
  const levels = new Uint8Array(count);
  decodeRuns(encoded, bitWidth(present), levels);
  const missing = levels.findIndex((level) => level !== present);
  if (missing >= 0) throw new MissingValue(done + missing);
}

function bitWidth(level: number): number {
  return 32 - Math.clz32(level);
}
