import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { memorySource } from "../../../core/checkpoint/memory_source.ts";
import { npzParts } from "../../../core/atm/shard/npz_shard.ts";
import { openShard } from "../../../core/atm/shard/open_shard.ts";
import { parquetParts } from "../../../core/atm/shard/parquet_shard.ts";
import { decompressSnappy } from "../../../core/atm/shard/snappy.ts";
import { caughtProblem } from "../../support/caught_problem.ts";
import { safetensorsBytes } from "../../support/safetensors_bytes.ts";
import { shardBytes } from "./shard_files.ts";

/** Opens a shard and reads all of it. */
async function readAll(bytes: Uint8Array, name = "tune"): Promise<void> {
  const shard = await openShard(memorySource(bytes), name);
  const all = Uint32Array.from({ length: shard.rows }, (_, row) => row);
  for (const column of shard.columns.values()) {
    if (column.readText) await column.readText(all);
    else await column.read(all);
  }
}

const REFUSED: Readonly<Record<string, readonly [kind: string, ...parts: string[]]>> = {
  "empty.safetensors": ["invalid-checkpoint", "The shard is empty", '"tune"', "current value is 0"],
  "empty.npz": ["invalid-checkpoint", "The shard is empty", "current value is 0"],
  "empty.parquet": ["invalid-checkpoint", "The shard is empty", "current value is 0"],
  "ragged.safetensors": ["mismatch", '"y"', "4", "5"],
  "ragged.npz": ["mismatch", '"x", which has 5', 'current value of "y" is 4'],
  "scalar.npz": ["mismatch", '"x"', "current shape is ()"],
  "pickled.npz": ["unsupported-dtype", '"x"', "no pickled Python objects", "current dtype is |O"],
  "no_arrays.npz": ["unsupported-format", "NumPy arrays", "safetensors.torch.save_file"],
  "null.parquet": ["invalid-checkpoint", '"x"', "row 2 is null"],
  "null_list.parquet": ["mismatch", '"x"', "equally long", "on average 1.67"],
  "null_element.parquet": ["invalid-checkpoint", '"x"', "row 1 is null"],
  "ragged_lists.parquet": ["mismatch", '"x"', "equally long", "different in row 0"],
  "uneven_lists.parquet": ["mismatch", '"x"', "equally long", "on average 1.50"],
  "ragged_inner.parquet": ["mismatch", '"x"', "equally long", "different in row 0"],
  "delta_text.parquet": ["invalid-checkpoint", '"x"', "current value is DELTA_BYTE_ARRAY"],
};

for (const [file, [kind, ...parts]] of Object.entries(REFUSED)) {
  Deno.test(`${file} is refused by name`, async () => {
    const bytes = await shardBytes(file);
    const problem = await caughtProblem(() => readAll(bytes));
    assertEquals(problem.kind, kind);
    assertEquals(problem.members.source, "tune");
    for (const part of parts) assertStringIncludes(problem.message, part);
  });
}

Deno.test("arrays that hold no numbers are refused one by one, with the reason", async () => {
  const npz = await openShard(memorySource(await shardBytes("refused.npz")), "tune");
  const reasons = {
    text: "no text",
    when: "must have a type of b1",
    complex: "must have a type of b1",
    pickled: "no pickled Python objects",
    record: "no records",
  };
  for (const [name, reason] of Object.entries(reasons)) {
    const problem = npz.refused!.get(name)!;
    assertEquals(problem.kind, "unsupported-dtype");
    assertEquals(problem.members.tensor, name);
    assertStringIncludes(problem.message, reason);
  }
  const parquet = await openShard(memorySource(await shardBytes("refused.parquet")), "tune");
  for (
    const [name, type] of [["when", "TIMESTAMP"], ["day", "DATE"], ["image", "group of fields"]]
  ) {
    assertStringIncludes(parquet.refused!.get(name!)!.message, type!);
  }
  const float8 = '{"q":{"dtype":"F8_E4M3","shape":[2],"data_offsets":[0,2]},' +
    '"y":{"dtype":"U8","shape":[2],"data_offsets":[2,4]}}';
  const shard = await openShard(memorySource(safetensorsBytes(float8, 4)), "tune");
  assertStringIncludes(shard.refused!.get("q")!.message, "current value is F8_E4M3");
});

Deno.test("text is no numbers", async () => {
  const shard = await openShard(memorySource(await shardBytes("flat.parquet")), "tune");
  const problem = await caughtProblem(() => shard.columns.get("text")!.read([0]));
  assertEquals(problem.kind, "unsupported-dtype");
  assertStringIncludes(problem.message, "current type is string");
});

const FOREIGN: readonly (readonly [Uint8Array, string])[] = [
  [Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0), "numpy.savez"],
  [new TextEncoder().encode("GGUF"), "GGUF"],
  [Uint8Array.of(0x80, 2, 0x7d, 0x71, 0, 0x2e, 0, 0, 0), "pickle"],
  [new TextEncoder().encode("<!doctype html><title>Sign in</title>"), "web page"],
  [new TextEncoder().encode("PAR1PAR1"), "Parquet"],
  [new Uint8Array(), "8 bytes"],
];

for (const [bytes, advice] of FOREIGN) {
  Deno.test(`a file that begins with ${bytes.slice(0, 4).toHex() || "nothing"} is refused`, async () => {
    const problem = await caughtProblem(() => readAll(bytes));
    assertStringIncludes(problem.message, advice);
  });
}

Deno.test("a row is read or refused by its index", async () => {
  for (const name of ["types.safetensors", "stored.npz", "deflated.npz", "flat.parquet"]) {
    const shard = await openShard(memorySource(await shardBytes(name)), name);
    const column = shard.columns.get("float32")!;
    for (const row of [shard.rows, -1, 0.5]) {
      await assertRejects(() => column.read([0, row]), RangeError, String(row));
    }
  }
});

Deno.test("compressed and column-major arrays are held up to a limit, all together", async () => {
  const file = { name: "tune", source: memorySource(await shardBytes("deflated.npz")) };
  const { columns } = await npzParts(file, undefined, 1000);
  const read = async (name: string) =>
    await columns.find(({ column }) => column.name === name)!.column.read([0]);
  assertEquals((await read("float64")).length, 48);
  assertEquals((await read("int64")).length, 48);
  const problem = await caughtProblem(() => read("uint64"));
  assertEquals(problem.kind, "too-large");
  assertEquals(problem.members.limit, 1000);
  assertStringIncludes(problem.message, "numpy.savez");
  assertEquals((await read("float64")).length, 48);
});

Deno.test("row groups of Parquet are decoded up to a limit, and decoded again when needed", async () => {
  const name = "many.parquet";
  const file = { name, source: memorySource(await shardBytes(name)) };
  const problem = await caughtProblem(async () => {
    const { columns } = await parquetParts(file, undefined, 30_000);
    await columns.find(({ column }) => column.name === "x")!.column.read([0]);
  });
  assertEquals(problem.kind, "too-large");
  // Enough for one group of 1100 rows of 40 bytes, so that every other read decodes anew.
  const { columns } = await parquetParts(file, undefined, 50_000);
  const { column } = columns.find(({ column }) => column.name === "z")!;
  const asked = [2999, 0, 1500, 2998, 1];
  const bytes = await column.read(asked);
  const squares = [...new BigInt64Array(bytes.buffer)];
  assertEquals(squares, asked.map((row) => BigInt(row) ** 2n));
});

Deno.test("reading ends when it is aborted, and goes on for others", async () => {
  for (const name of ["types.safetensors", "deflated.npz", "flat.parquet"]) {
    const shard = await openShard(memorySource(await shardBytes(name)), name);
    const column = shard.columns.get("float32")!;
    const controller = new AbortController();
    const mine = column.read([0], controller.signal);
    const other = column.read([1]);
    controller.abort(new RangeError("enough"));
    const outcome = await mine.then(() => "read", (error: Error) => error.message);
    assertEquals(["read", "enough"].includes(outcome), true);
    const size = (await other).length;
    assertEquals((await column.read([0])).length, size);
    const aborted = AbortSignal.abort(new RangeError("before"));
    await assertRejects(() => column.read([0], aborted), RangeError, "before");
  }
});

// The first two are examples of the format's description, the others its violations.
Deno.test("Snappy blocks become what they stand for, or are refused", () => {
  const block = (...bytes: number[]) => Uint8Array.from(bytes);
  const text = new TextDecoder();
  assertEquals(text.decode(decompressSnappy(block(10, 0x04, 97, 98, 0x11, 2), 10)), "ababababab");
  const copy2 = block(6, 0x08, 120, 121, 122, 0x0a, 3, 0);
  assertEquals(text.decode(decompressSnappy(copy2, 6)), "xyzxyz");
  for (
    const [bytes, length] of [
      [block(2, 0x04, 97, 98), 3],
      [block(2, 0x04, 97), 2],
      [block(6, 0x04, 97, 98, 0x01, 3), 6],
      [block(6, 0x04, 97, 98, 0x01, 0), 6],
      [block(3, 0x04, 97, 98), 3],
      [block(1, 0x04, 97, 98), 1],
      [block(4, 0xfc, 0xfa, 0xff, 0xff, 0xff, 0, 0, 0), 4],
      [block(0xff, 0xff, 0xff, 0xff, 0xff, 0xff), 4],
      [block(), 0],
    ] as const
  ) {
    let refused = false;
    try {
      decompressSnappy(bytes, length);
    } catch (error) {
      refused = error instanceof RangeError;
    }
    assertEquals(refused, true, bytes.toHex());
  }
});
