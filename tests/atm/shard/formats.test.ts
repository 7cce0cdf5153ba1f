import { assertEquals } from "@std/assert";
import type { ByteSource } from "../../../core/checkpoint/byte_source.ts";
import { memorySource } from "../../../core/checkpoint/memory_source.ts";
import { npzParts } from "../../../core/atm/shard/npz_shard.ts";
import { openShard } from "../../../core/atm/shard/open_shard.ts";
import { parquetParts } from "../../../core/atm/shard/parquet_shard.ts";
import { safetensorsParts } from "../../../core/atm/shard/safetensors_shard.ts";
import type { ShardColumn, ShardParts } from "../../../core/atm/shard/shard.ts";
import type { ShardFile } from "../../../core/atm/shard/shard_file.ts";
import { type ExpectedColumn, expectedShards, shardBytes } from "./shard_files.ts";

const EXPECTED = await expectedShards();

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

/** What a column holds, in the terms of `expected.json`. */
async function describe(column: ShardColumn, rows: number): Promise<ExpectedColumn> {
  const { type, shape } = column;
  const all = Array.from({ length: rows }, (_, row) => row);
  return type === "string"
    ? { type, shape, text: await column.readText!(all) }
    : { type, shape, sha256: await sha256(await column.read(all)) };
}

for (const [name, expected] of Object.entries(EXPECTED)) {
  Deno.test(`${name} holds what Python wrote`, async () => {
    const source = memorySource(await shardBytes(name));
    const shard = await openShard(source, name);
    assertEquals(shard.rows, expected.rows);
    assertEquals([...shard.columns.keys()].sort(), Object.keys(expected.columns).sort());
    assertEquals([...shard.refused!.keys()].sort(), expected.refused);
    for (const [key, column] of shard.columns) {
      assertEquals(column.name, key);
      assertEquals(await describe(column, shard.rows), expected.columns[key]!, key);
    }
    await shard.close!();
  });
}

/** Opens the columns of a file that is not held, so that every read goes to the source. */
function unheld(name: string, source: ByteSource): Promise<ShardParts> {
  const file: ShardFile = { name, source };
  if (name.endsWith(".npz")) return npzParts(file);
  return name.endsWith(".parquet") ? parquetParts(file) : safetensorsParts(file);
}

for (const name of Object.keys(EXPECTED)) {
  Deno.test(`${name} gives rows in any order, held or not`, async () => {
    const bytes = await shardBytes(name);
    const shard = await openShard(memorySource(bytes), name);
    const parts = await unheld(name, memorySource(bytes));
    const last = shard.rows - 1;
    const asked = Uint32Array.of(last, 0, 2, 1, 0, last, Math.floor(last / 2));
    const all = Array.from({ length: shard.rows }, (_, row) => row);
    for (const { column, rows } of parts.columns) {
      assertEquals(rows, shard.rows);
      const held = shard.columns.get(column.name)!;
      if (column.type === "string") {
        const texts = await held.readText!(all);
        assertEquals(await column.readText!(asked), Array.from(asked, (row) => texts[row]!));
        continue;
      }
      const whole = await held.read(all);
      const size = whole.length / shard.rows;
      const expected = Array.from(asked, (row) => [...whole.slice(row * size, (row + 1) * size)]);
      assertEquals([...await held.read(asked)], expected.flat(), column.name);
      assertEquals([...await column.read(asked)], expected.flat(), column.name);
      assertEquals((await column.read([])).length, 0);
    }
  });
}
