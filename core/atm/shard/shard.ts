/**
 * A shard of labelled data: named columns, each an array of as many rows as the others.
 *
 * @module
 */
import type { ElementType } from "../../onnx/model.ts";
import { Problem, type ProblemMembers } from "../../problem.ts";

/** Files of up to this many bytes (64 MiB) are read once and held; rows of larger ones are read by ranges. */
export const HELD_BYTES = 67_108_864;

/**
 * The most bytes (256 MiB) of one shard that are held because its file cannot be read row by row: the arrays
 * of a compressed or column-major .npz, the decoded row groups of a Parquet file.
 */
export const DECODED_BYTES = 268_435_456;

/** An array of numbers, one row of it for every example; or text. */
export interface ShardColumn {
  readonly name: string;
  /** Type of the elements; `string` for text, which has `readText` instead of `read`. */
  readonly type: ElementType;
  /** Shape of one row; `[]` if a row is one number or one text. */
  readonly shape: readonly number[];
  /**
   * Reads rows by index, in the order asked; an index may occur twice.
   *
   * @returns The rows' elements, one row after the other, little-endian, in memory of its own.
   * @throws {RangeError} If an index is not a row.
   * @throws {Problem} `invalid-checkpoint` if the file is damaged there, `unsupported-dtype` if the column
   * is text, `too-large` beyond {@linkcode DECODED_BYTES}; whatever the source throws.
   */
  read(
    indices: Uint32Array | readonly number[],
    signal?: AbortSignal,
  ): Promise<Uint8Array<ArrayBuffer>>;
  /** Reads text by row index; only columns of type `string` have it. Throws as `read` does. */
  readText?(indices: Uint32Array | readonly number[], signal?: AbortSignal): Promise<string[]>;
}

/** An opened shard; only what describes it has been read. */
export interface Shard {
  /** Number of rows, at least 1. */
  readonly rows: number;
  /** Columns by name, in the order of the file. */
  readonly columns: ReadonlyMap<string, ShardColumn>;
  /** Columns that stand in the file but cannot be read (such as pickled objects), each with the reason. */
  readonly refused?: ReadonlyMap<string, Problem>;
  /** Releases the source; reading then fails. Calling it again does nothing. */
  close?(): Promise<void>;
}

/** A problem of a shard's file, which carries its `source` and, where one is to blame, the `tensor`. */
export function shardProblem(
  kind: "invalid-checkpoint" | "mismatch" | "too-large" | "unsupported-dtype",
  source: string,
  detail: string,
  members: ProblemMembers = {},
): Problem {
  return new Problem(kind, detail, { source, ...members });
}

/** Members of a shard before they are known to fit together. */
export interface ShardParts {
  /** Every readable column with its number of rows. */
  readonly columns: readonly { readonly column: ShardColumn; readonly rows: number }[];
  readonly refused: ReadonlyMap<string, Problem>;
}

/**
 * Puts columns together.
 *
 * @param name Name of the source.
 * @throws {Problem} `mismatch` with `tensor` if row counts differ, `invalid-checkpoint` if there is no row or
 * no column, the first column's reason if none can be read.
 */
export function assembleShard(
  name: string,
  { columns, refused }: ShardParts,
  close: () => void,
): Shard {
  const [first] = columns;
  if (first === undefined) {
    const [reason] = refused.values();
    throw reason ?? shardProblem(
      "invalid-checkpoint",
      name,
      `Cannot read the shard ${JSON.stringify(name)} as it must hold at least one array: ` +
        "current value is 0",
    );
  }
  for (const { column, rows } of columns) {
    if (rows === first.rows) continue;
    throw shardProblem(
      "mismatch",
      name,
      `Cannot read the shard ${JSON.stringify(name)} as every array must have as many rows as ` +
        `${JSON.stringify(first.column.name)}, which has ${first.rows}: current value of ` +
        `${JSON.stringify(column.name)} is ${rows}`,
      { tensor: column.name },
    );
  }
  if (first.rows === 0) {
    throw shardProblem(
      "invalid-checkpoint",
      name,
      `The shard is empty: ${JSON.stringify(name)} must have at least 1 row: current value is 0`,
      { tensor: first.column.name },
    );
  }
  if (first.rows > MAXIMUM_ROWS) {
    throw shardProblem(
      "too-large",
      name,
      `Cannot read the shard ${JSON.stringify(name)} as it must have at most ${MAXIMUM_ROWS} ` +
        `rows: current value is ${first.rows}`,
      { limit: MAXIMUM_ROWS, value: first.rows },
    );
  }
  return {
    rows: first.rows,
    columns: new Map(columns.map(({ column }) => [column.name, column])),
    refused,
    close() {
      close();
      return Promise.resolve();
    },
  };
}

/** An epoch's order takes 4 bytes a row, so this bounds it to 256 MiB. */
const MAXIMUM_ROWS = 67_108_864;
