/**
 * Shards in Parquet: columns of numbers, of lists of numbers, or of text.
 *
 * A row group is decoded as a whole when one of its rows is read. Decoded groups are held up to a limit, so a
 * shuffled walk over a larger file decodes groups again and again; safetensors serves such shards better.
 *
 * @module
 */
import type { FileMetaData, RowGroup } from "hyparquet";
import { untilAborted } from "../../checkpoint/backoff.ts";
import { elementBytes } from "../../onnx/element_type.ts";
import type { Problem } from "../../problem.ts";
import { elementCount } from "../../tensor/dtype.ts";
import { type DecodedCache, decodedCache } from "./decoded_cache.ts";
import { type ParquetColumn, parquetColumns } from "./parquet_columns.ts";
import { readFooter } from "./parquet_footer.ts";
import { type DecodedRows, decodeGroup } from "./parquet_group.ts";
import { shapeOfRow } from "./parquet_lists.ts";
import { type ColumnChunk, decodePages } from "./parquet_pages.ts";
import {
  attempt,
  decodingProblem,
  largeGroup,
  parquetFault,
  raggedColumn,
  refusedColumn,
} from "./parquet_problems.ts";
import { checkedRow, type RowIndices } from "./read_rows.ts";
import { DECODED_BYTES, type ShardColumn, type ShardParts } from "./shard.ts";
import type { ShardFile } from "./shard_file.ts";

/** Rows `[first, first + rows)` and where their values of every column lie. */
interface Group {
  readonly index: number;
  readonly first: number;
  readonly rows: number;
  readonly columns: RowGroup["columns"];
}

/** What the columns of one file share. */
interface ParquetFile {
  readonly file: ShardFile;
  readonly groups: readonly Group[];
  readonly rows: number;
  readonly cache: DecodedCache<DecodedRows>;
  readonly limit: number;
}

/**
 * The columns of a shard in Parquet.
 *
 * @param limit The most bytes of decoded row groups to hold; a single one may not be larger.
 * @throws {Problem} `invalid-checkpoint` with `tensor` if the file is damaged or lacks values, `mismatch` if the
 * lists of a column differ in length, `too-large`; whatever the source throws.
 */
export async function parquetParts(
  file: ShardFile,
  signal?: AbortSignal,
  limit: number = DECODED_BYTES,
): Promise<ShardParts> {
  const metadata = await readFooter(file, signal);
  const { found, groups, rows } = attempt(file, undefined, () => ({
    found: parquetColumns(metadata),
    ...groupsOf(metadata),
  }));
  const shared = { file, groups, rows, cache: decodedCache<DecodedRows>(limit), limit };
  const columns: ShardParts["columns"][number][] = [];
  const refused = new Map<string, Problem>();
  for (const column of found) {
    const { name } = column;
    if (columns.some((other) => other.column.name === name) || refused.has(name)) {
      throw parquetFault(file, name, `must stand once in the file: current value is ${name}`);
    }
    if ("refused" in column) refused.set(name, refusedColumn(file, name, column.refused));
    else columns.push({ column: await columnOf(shared, column, signal), rows });
  }
  return { columns, refused };
}

function groupsOf(metadata: FileMetaData): { readonly groups: Group[]; readonly rows: number } {
  const groups: Group[] = [];
  let first = 0;
  for (const [index, { num_rows, columns }] of metadata.row_groups.entries()) {
    const rows = sizeOf(num_rows);
    if (rows > 0) groups.push({ index, first, rows, columns });
    first += rows;
  }
  if (sizeOf(metadata.num_rows) !== first) {
    throw new RangeError(
      `Its row groups must have ${metadata.num_rows} rows: current value is ${first}`,
    );
  }
  return { groups, rows: first };
}

function sizeOf(value: unknown): number {
  const size = typeof value === "bigint" ? Number(value) : NaN;
  if (Number.isSafeInteger(size) && size >= 0) return size;
  throw new RangeError(`A size must be an integer from 0 to 2^53 - 1: current value is ${value}`);
}

async function columnOf(
  shared: ParquetFile,
  column: ParquetColumn,
  signal?: AbortSignal,
): Promise<ShardColumn> {
  const { name, type } = column;
  const shape = await rowShape(shared, column, signal);
  const rowBytes = elementCount(shape) * elementBytes(type);
  const text = refusedColumn(
    shared.file,
    name,
    "hold numbers to be read as such: current type is string",
  );
  const read: ShardColumn["read"] = async (indices, signal) => {
    if (type === "string") throw text;
    const out = new Uint8Array(indices.length * rowBytes);
    await visitRows(shared, column, shape, indices, signal, (rows, from, to) => {
      if ("bytes" in rows) {
        out.set(rows.bytes.subarray(from * rowBytes, (from + 1) * rowBytes), to * rowBytes);
      }
    });
    return out;
  };
  if (type !== "string") return { name, type, shape, read };
  const readText: ShardColumn["readText"] = async (indices, signal) => {
    const out = new Array<string>(indices.length).fill("");
    await visitRows(shared, column, shape, indices, signal, (rows, from, to) => {
      if ("text" in rows) out[to] = rows.text[from]!;
    });
    return out;
  };
  return { name, type, shape, read, readText };
}

/** Every list of a column has as many values as those of the first row, else the column has no shape. */
async function rowShape(
  shared: ParquetFile,
  column: ParquetColumn,
  signal?: AbortSignal,
): Promise<readonly number[]> {
  const { file, groups } = shared;
  const sizes = groups.map((group) => {
    const values = attempt(file, column.name, () => sizeOf(chunkOf(group, column).num_values));
    return values / group.rows;
  });
  const [size] = sizes;
  if (size === undefined) return [];
  const other = sizes.find((other) => other !== size || !Number.isInteger(other));
  if (other !== undefined || (column.lists === 0 && size !== 1)) {
    throw raggedColumn(file, column.name, `on average ${(other ?? size).toFixed(2)}`);
  }
  if (column.lists < 2) return column.lists === 0 ? [] : [size];
  if (column.type === "string") throw refusedColumn(file, column.name, "hold one text a row");
  const [group] = groups;
  const chunk = await readChunk(shared, group!, column, signal);
  const levels = await firstLevels(file, chunk, column, size);
  const shape = shapeOfRow(levels, column.lists);
  if (shape === undefined) throw raggedColumn(file, column.name, "different in row 0");
  return shape;
}

async function firstLevels(
  file: ShardFile,
  chunk: ColumnChunk,
  column: ParquetColumn,
  size: number,
): Promise<Uint8Array> {
  const levels = new Uint8Array(size);
  let filled = 0;
  try {
    for await (const { repetitions } of decodePages(chunk, column)) {
      const part = repetitions.subarray(0, size - filled);
      levels.set(part, filled);
      filled += part.length;
      if (filled === size) break;
    }
  } catch (error) {
    throw decodingProblem(file, column.name, error, 0, [size]);
  }
  return levels;
}

async function visitRows(
  shared: ParquetFile,
  column: ParquetColumn,
  shape: readonly number[],
  indices: RowIndices,
  signal: AbortSignal | undefined,
  visit: (rows: DecodedRows, from: number, to: number) => void,
): Promise<void> {
  const { groups } = shared;
  const places = new Map<Group, number[]>();
  for (let place = 0; place < indices.length; place++) {
    const row = checkedRow(indices[place]!, shared.rows);
    const group = groups[groups.findLastIndex(({ first }) => first <= row)]!;
    const known = places.get(group);
    if (known === undefined) places.set(group, [place]);
    else known.push(place);
  }
  for (const [group, found] of places) {
    const loading = decodedGroup(shared, group, column, shape);
    const rows = await (signal === undefined ? loading : untilAborted(loading, signal));
    for (const place of found) visit(rows, indices[place]! - group.first, place);
  }
}

/** A group is shared by all who read, so that none of them may abort it. */
function decodedGroup(
  shared: ParquetFile,
  group: Group,
  column: ParquetColumn,
  shape: readonly number[],
): Promise<DecodedRows> {
  const { file, limit } = shared;
  const { name, type } = column;
  // A text's bytes are not known before; its page bytes and the references to it come close.
  const bytes = type === "string"
    ? attempt(file, name, () => sizeOf(chunkOf(group, column).total_uncompressed_size)) +
      16 * group.rows
    : group.rows * elementCount(shape) * elementBytes(type);
  if (bytes > limit) throw largeGroup(file, name, bytes, limit);
  return shared.cache(`${group.index}/${name}`, bytes, async () => {
    const chunk = await readChunk(shared, group, column);
    try {
      return await decodeGroup(chunk, column, shape);
    } catch (error) {
      throw decodingProblem(file, column.name, error, group.first, shape);
    }
  });
}

function chunkOf(group: Group, { name, path }: ParquetColumn) {
  const wanted = path.join("\n");
  const chunk = group.columns.find(({ meta_data }) =>
    meta_data?.path_in_schema.join("\n") === wanted
  );
  if (chunk?.meta_data === undefined || chunk.file_path) {
    throw new Error(
      `Row group ${group.index} must hold the values: current value of ${name} is none`,
    );
  }
  return chunk.meta_data;
}

async function readChunk(
  { file, limit }: ParquetFile,
  group: Group,
  column: ParquetColumn,
  signal?: AbortSignal,
): Promise<ColumnChunk> {
  const { start, end, codec, values } = attempt(file, column.name, () => {
    const chunk = chunkOf(group, column);
    const start = Math.min(
      sizeOf(chunk.data_page_offset),
      sizeOf(chunk.dictionary_page_offset || chunk.data_page_offset),
    );
    const end = start + sizeOf(chunk.total_compressed_size);
    if (end > file.source.byteLength) {
      throw new RangeError(`Its values must lie inside the file: current end is byte ${end}`);
    }
    return { start, end, codec: chunk.codec, values: sizeOf(chunk.num_values) };
  });
  if (end - start > limit) throw largeGroup(file, column.name, end - start, limit);
  const bytes = await file.source.slice(start, end, signal);
  return { bytes, codec, values };
}
