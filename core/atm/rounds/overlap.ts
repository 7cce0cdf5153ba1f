/**
 * Refuses tasks whose shards share rows (ATM.md, section 6.2).
 *
 * @module
 */
import { Problem } from "../../problem.ts";
import { inputColumns } from "../batches.ts";
import type { OpenedRows } from "../open_task.ts";
import { findOverlaps, hashRows, type RowHashes } from "../row_hash.ts";

/** The shards of a task by their use; those that this service holds. */
export interface TaskShards {
  readonly tune?: OpenedRows;
  readonly select?: OpenedRows;
  readonly test?: OpenedRows;
}

/** An overlap that was let through. */
export interface AllowedOverlap {
  readonly task: string;
  readonly between: readonly [string, string];
  readonly count: number;
}

const PAIRS = [["tune", "select"], ["tune", "test"], ["select", "test"]] as const;

/**
 * Compares the model inputs of every row with those of the task's other shards; labels do not count.
 *
 * @param allow Whether tune and select may share rows; with test never.
 * @returns The overlaps that were let through.
 * @throws {Problem} `split-overlap` with counts and the first rows.
 */
export async function checkOverlap(
  task: string,
  shards: TaskShards,
  allow: boolean,
  signal: AbortSignal,
): Promise<AllowedOverlap[]> {
  const hashes = new Map<string, RowHashes>();
  for (const [use, rows] of Object.entries(shards) as [string, OpenedRows | undefined][]) {
    if (rows) hashes.set(use, await hashRows(rows.shard, inputColumns(rows.data), signal));
  }
  const allowed: AllowedOverlap[] = [];
  for (const [first, second] of PAIRS) {
    const [a, b] = [hashes.get(first), hashes.get(second)];
    if (!a || !b) continue;
    const { count, rows } = findOverlaps(a, b);
    if (count === 0) continue;
    if (allow && second === "select") {
      allowed.push({ task, between: [first, second], count });
      continue;
    }
    const pairs = rows.map((pair) => `${pair.first}=${pair.second}`).join(", ");
    throw new Problem(
      "split-overlap",
      `Cannot use the shards of the task ${
        JSON.stringify(task)
      } as rows stand in both ${first} and ` +
        `${second}: current value is ${count} rows (${first}=${second}: ${pairs}${
          count > rows.length ? ", …" : ""
        })`,
      {
        task,
        between: [first, second],
        count,
        rows: rows.map((pair) => ({ [first]: pair.first, [second]: pair.second })),
      },
    );
  }
  return allowed;
}
