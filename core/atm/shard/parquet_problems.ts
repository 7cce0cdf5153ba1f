/**
 * How faults of a Parquet file are reported: which source, which column, what is wrong.
 *
 * @module
 */
import { Problem } from "../../problem.ts";
import { elementCount } from "../../tensor/dtype.ts";
import { reasonOf } from "./parquet_footer.ts";
import { RaggedRow } from "./parquet_group.ts";
import { MissingValue } from "./parquet_pages.ts";
import { shardProblem } from "./shard.ts";
import type { ShardFile } from "./shard_file.ts";

/** The problem of a damaged column, or of the file if no column is named. */
export function parquetFault(
  file: ShardFile,
  tensor: string | undefined,
  what: string,
  cause?: unknown,
): Problem {
  const column = tensor === undefined ? "" : `the column ${JSON.stringify(tensor)} of `;
  return new Problem(
    "invalid-checkpoint",
    `Cannot read ${column}the Parquet file ${JSON.stringify(file.name)} as it ${what}`,
    { source: file.name, ...(tensor === undefined ? {} : { tensor }) },
    cause,
  );
}

/** The problem of a column that is no array of numbers. */
export function refusedColumn(file: ShardFile, tensor: string, what: string): Problem {
  return shardProblem("unsupported-dtype", file.name, `${use(file, tensor)} it must ${what}`, {
    tensor,
  });
}

/** The problem of lists that differ in length. */
export function raggedColumn(file: ShardFile, tensor: string, value: string): Problem {
  const detail = `${use(file, tensor)} its lists must be equally long in every row: ` +
    `current length is ${value}`;
  return shardProblem("mismatch", file.name, detail, { tensor });
}

/** The problem of a row group that cannot be held. */
export function largeGroup(file: ShardFile, tensor: string, value: number, limit: number): Problem {
  const detail = `${use(file, tensor)} a row group of it must take at most ${limit} bytes; write ` +
    `smaller row groups: current value is ${value}`;
  return shardProblem("too-large", file.name, detail, { tensor, limit, value });
}

/** Runs what throws plain errors on malformed bytes, and reports these. */
export function attempt<T>(file: ShardFile, tensor: string | undefined, run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw parquetFault(file, tensor, `must be sound: ${reasonOf(error)}`, error);
  }
}

/**
 * The problem of what decoding a row group threw.
 *
 * @param first Number of the group's first row.
 * @param shape Shape of one row.
 */
export function decodingProblem(
  file: ShardFile,
  tensor: string,
  error: unknown,
  first: number,
  shape: readonly number[],
): Problem {
  if (error instanceof RaggedRow) {
    return raggedColumn(file, tensor, `different in row ${first + error.row}`);
  }
  if (error instanceof MissingValue) {
    const row = first + Math.floor(error.place / Math.max(1, elementCount(shape)));
    const what = `must have a value in every row: current value of row ${row} is null`;
    return parquetFault(file, tensor, what);
  }
  return parquetFault(file, tensor, `must be sound: ${reasonOf(error)}`, error);
}

function use(file: ShardFile, tensor: string): string {
  return `Cannot use the column ${JSON.stringify(tensor)} of the shard ${
    JSON.stringify(file.name)
  } as`;
}
