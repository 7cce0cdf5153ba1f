/**
 * The shards of `fixtures/shards/` and what they hold.
 *
 * @module
 */
import type { Bytes } from "../../../core/checkpoint/byte_source.ts";

const FOLDER = new URL("../../../fixtures/shards/", import.meta.url);

/** A column as numpy had it. */
export interface ExpectedColumn {
  readonly type: string;
  readonly shape: readonly number[];
  /** Of the elements, row by row and little-endian. */
  readonly sha256?: string;
  readonly text?: readonly string[];
}

/** A shard as numpy and pyarrow had it. */
export interface ExpectedShard {
  readonly rows: number;
  readonly columns: Readonly<Record<string, ExpectedColumn>>;
  readonly refused: readonly string[];
}

/** What the readable files hold, by their names. */
export async function expectedShards(): Promise<Readonly<Record<string, ExpectedShard>>> {
  return JSON.parse(await Deno.readTextFile(new URL("expected.json", FOLDER)));
}

/** The bytes of a file. */
export async function shardBytes(name: string): Promise<Bytes> {
  return await Deno.readFile(new URL(name, FOLDER));
}
