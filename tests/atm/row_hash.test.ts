import { assertEquals, assertRejects } from "@std/assert";
import { memorySource } from "../../core/checkpoint/memory_source.ts";
import {
  countRepeats,
  findOverlaps,
  hashRows,
  ROW_HASH_BYTES,
  type RowHashes,
} from "../../core/atm/row_hash.ts";
import { openShard } from "../../core/atm/shard/open_shard.ts";
import type { Shard } from "../../core/atm/shard/shard.ts";
import { arrays, shardOf, texts } from "./made_shard.ts";
import { shardBytes } from "./shard/shard_files.ts";

function hexOf({ rows, bytes }: RowHashes): string[] {
  return Array.from(
    { length: rows },
    (_, row) => bytes.subarray(row * ROW_HASH_BYTES, (row + 1) * ROW_HASH_BYTES).toHex(),
  );
}

// The digests were computed by Python's hashlib.
Deno.test("a row's hash is the beginning of the SHA-256 of types, shapes and bytes", async () => {
  const shard = shardOf(2, [
    arrays("x", [3], Float32Array.of(0, 1, 2, 3, 4, 5)),
    arrays("n", [], BigInt64Array.of(0n, 1n)),
    arrays("y", [], Uint8Array.of(7, 8)),
  ]);
  assertEquals(hexOf(await hashRows(shard, ["x", "n"])), [
    "47a046d55ed45107b6cf5836cc713de4",
    "6553ccdbf1493525ad292085af3b99bf",
  ]);
  await assertRejects(() => hashRows(shard, ["x", "z"]), RangeError, "z");
});

Deno.test("text is hashed in lower case with white space collapsed", async () => {
  const shard = shardOf(3, [texts("t", ["How much", " HOW\t\n much ", "na\u00efVE"])]);
  const much = "aa5568b76ea55bf075d2719035317457";
  assertEquals(hexOf(await hashRows(shard, ["t"])), [
    much,
    much,
    "3cbfdf327f31dd7ca974422ec62a74ab",
  ]);
});

function shard(rows: number, values: readonly number[], labels: readonly number[] = []): Shard {
  const y = Uint8Array.from({ length: rows }, (_, row) => labels[row] ?? 0);
  return shardOf(rows, [arrays("x", [2], Float32Array.from(values)), arrays("y", [], y)]);
}

Deno.test("rows that stand in two shards are found, whatever their labels", async () => {
  const first = await hashRows(shard(4, [1, 2, 3, 4, 5, 6, 3, 4], [0, 1, 2, 3]), ["x"]);
  const second = await hashRows(shard(4, [3, 4, 2, 1, 5, 6, 3, 4], [9, 9, 9, 9]), ["x"]);
  assertEquals(findOverlaps(first, second), {
    count: 3,
    rows: [{ first: 1, second: 0 }, { first: 2, second: 2 }, { first: 1, second: 3 }],
  });
  assertEquals(countRepeats(first), 1);
  assertEquals(countRepeats(second), 1);
  const other = await hashRows(shard(1, [2, 1.5]), ["x"]);
  assertEquals(findOverlaps(first, other), { count: 0, rows: [] });
});

Deno.test("no more than ten overlapping rows are named, and all are counted", async () => {
  const rows = 3000;
  const values = Array.from({ length: rows * 2 }, (_, i) => i);
  const all = await hashRows(shard(rows, values), ["x"]);
  const { count, rows: named } = findOverlaps(all, all);
  assertEquals(count, rows);
  assertEquals(named, Array.from({ length: 10 }, (_, row) => ({ first: row, second: row })));
  assertEquals(countRepeats(all), 0);
});

Deno.test("a row hashes alike in every format", async () => {
  const hashes = await Promise.all(
    ["types.safetensors", "stored.npz", "big_endian.npz", "fortran.npz"].map(async (name) => {
      const shard = await openShard(memorySource(await shardBytes(name)), name);
      return hexOf(await hashRows(shard, ["float32", "uint8"]));
    }),
  );
  for (const other of hashes) assertEquals(other, hashes[0]!);
  assertEquals(new Set(hashes[0]).size, 5);
});
