/**
 * Recognizes rows that stand in several shards by a hash of what the model sees of them (ATM.md, section 6.2).
 *
 * @module
 */
import { elementCount } from "../tensor/dtype.ts";
import type { Shard, ShardColumn } from "./shard/shard.ts";

/**
 * Bytes kept of a row's SHA-256. With n rows two different ones agree in all of them with a probability of
 * about n²/2^129, below 10^-20 for a thousand million rows; the other half would only double the memory.
 */
export const ROW_HASH_BYTES = 16;

/** The hashes of a shard's rows, {@linkcode ROW_HASH_BYTES} each. */
export interface RowHashes {
  readonly rows: number;
  readonly bytes: Uint8Array;
}

/** Rows of two shards whose model inputs are equal. */
export interface Overlap {
  /** How many rows of the second shard stand in the first. */
  readonly count: number;
  /** The first of them with the first equal row of the first shard, at most {@linkcode OVERLAP_ROWS}. */
  readonly rows: readonly { readonly first: number; readonly second: number }[];
}

/** How many overlapping rows are named. */
export const OVERLAP_ROWS = 10;

/** Rows that are read at once take about this many bytes. */
const CHUNK_BYTES = 1_048_576;
const CHUNK_ROWS = 1024;

/**
 * Hashes the model input of every row: for each column in turn its element type and the shape of a row, then
 * the elements as they are stored, or the text in lower case with white space collapsed. Labels and the
 * columns' names are left out.
 *
 * @param columns Names of the columns that the model sees, in an order that is the same for all shards of a
 * task, such as that of {@linkcode inputColumns}.
 * @throws {RangeError} If there is no such column.
 * @throws {Problem} As reading the columns does.
 */
export async function hashRows(
  shard: Shard,
  columns: readonly string[],
  signal?: AbortSignal,
): Promise<RowHashes> {
  const parts = columns.map((name) => {
    const column = shard.columns.get(name);
    if (column === undefined) {
      throw new RangeError(
        `Cannot hash the rows as the shard has no column: current value is ${name}`,
      );
    }
    return column;
  });
  const bytes = new Uint8Array(shard.rows * ROW_HASH_BYTES);
  const rowBytes = parts.reduce((sum, { shape }) => sum + 8 * elementCount(shape), 1);
  const chunk = Math.max(1, Math.min(CHUNK_ROWS, Math.floor(CHUNK_BYTES / rowBytes)));
  for (let first = 0; first < shard.rows; first += chunk) {
    const count = Math.min(chunk, shard.rows - first);
    const indices = Uint32Array.from({ length: count }, (_, i) => first + i);
    const rows = await Promise.all(parts.map((column) => readParts(column, indices, signal)));
    await Promise.all(Array.from(indices, async (_, i) => {
      const message = joined(rows.map((row) => row(i)));
      const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", message));
      bytes.set(digest.subarray(0, ROW_HASH_BYTES), (first + i) * ROW_HASH_BYTES);
    }));
    signal?.throwIfAborted();
  }
  return { rows: shard.rows, bytes };
}

/** Finds the rows of the second shard that stand in the first. */
export function findOverlaps(first: RowHashes, second: RowHashes): Overlap {
  const find = indexOf(first);
  const rows: { first: number; second: number }[] = [];
  let count = 0;
  for (let row = 0; row < second.rows; row++) {
    const found = find(second, row);
    if (found === undefined) continue;
    count++;
    if (rows.length < OVERLAP_ROWS) rows.push({ first: found, second: row });
  }
  return { count, rows };
}

/** How many rows of a shard repeat an earlier one. */
export function countRepeats(hashes: RowHashes): number {
  const find = indexOf(hashes);
  let count = 0;
  for (let row = 0; row < hashes.rows; row++) if (find(hashes, row) !== row) count++;
  return count;
}

/**
 * An open-addressing table of row numbers, 8 to 16 bytes a row; answers the first row of equal hash.
 */
function indexOf({ rows, bytes }: RowHashes) {
  const mask = 2 ** Math.ceil(Math.log2(2 * rows + 1)) - 1;
  const table = new Uint32Array(mask + 1);
  const words = wordsOf(bytes);
  /** The place of an equal row's number, or the free place for it. */
  const placeOf = (other: Uint32Array, row: number) => {
    let place = other[row * 4]! & mask;
    while (table[place] !== 0 && !sameRow(words, table[place]! - 1, other, row)) {
      place = (place + 1) & mask;
    }
    return place;
  };
  for (let row = 0; row < rows; row++) {
    const place = placeOf(words, row);
    if (table[place] === 0) table[place] = row + 1;
  }
  return (other: RowHashes, row: number): number | undefined => {
    const found = table[placeOf(wordsOf(other.bytes), row)]!;
    return found === 0 ? undefined : found - 1;
  };
}

function wordsOf(bytes: Uint8Array): Uint32Array {
  return new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
}

function sameRow(left: Uint32Array, a: number, right: Uint32Array, b: number): boolean {
  for (let i = 0; i < 4; i++) if (left[a * 4 + i] !== right[b * 4 + i]) return false;
  return true;
}

/** Answers what is hashed of the i-th of the rows that were asked for. */
async function readParts(
  { type, shape, read, readText }: ShardColumn,
  indices: Uint32Array,
  signal?: AbortSignal,
): Promise<(i: number) => readonly Uint8Array[]> {
  const encoder = new TextEncoder();
  if (readText !== undefined) {
    const texts = await readText(indices, signal);
    return (i) => {
      const text = encoder.encode(normalized(texts[i]!));
      return [encoder.encode(`${type} ${text.length}\n`), text];
    };
  }
  const bytes = await read(indices, signal);
  const size = bytes.length / indices.length;
  const head = encoder.encode(`${type} [${shape.join(",")}]\n`);
  return (i) => [head, bytes.subarray(i * size, (i + 1) * size)];
}

/** Text without the differences that a reader would not see as such. */
function normalized(text: string): string {
  return text.toLowerCase().replace(/\s+/g, " ").trim();
}

function joined(parts: readonly (readonly Uint8Array[])[]): Uint8Array<ArrayBuffer> {
  const flat = parts.flat();
  const out = new Uint8Array(flat.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of flat) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
