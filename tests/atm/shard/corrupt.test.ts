import { assertLess } from "@std/assert";
import fc from "fast-check";
import { memorySource } from "../../../core/checkpoint/memory_source.ts";
import { openShard } from "../../../core/atm/shard/open_shard.ts";
import { Problem } from "../../../core/problem.ts";
import { expectedShards, shardBytes } from "./shard_files.ts";

const FILES = Object.keys(await expectedShards());
const CONTENTS = new Map(
  await Promise.all(
    FILES.map(async (file) => [file, await shardBytes(file)] as const),
  ),
);

/** Reads everything of a damaged file: either it still can be read, or it is a problem, and soon. */
async function readOrRefuse(bytes: Uint8Array): Promise<void> {
  const started = performance.now();
  try {
    const shard = await openShard(memorySource(bytes), "damaged");
    const rows = Math.min(shard.rows, 4000);
    const asked = Uint32Array.from({ length: rows }, (_, row) => row);
    for (const column of shard.columns.values()) {
      await (column.readText ?? column.read)(asked);
    }
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
  }
  assertLess(performance.now() - started, 5000);
}

for (const file of FILES) {
  const original = CONTENTS.get(file)!;

  Deno.test(`${file}, cut off anywhere, is read or refused`, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(original.length - 1),
        (length) => readOrRefuse(original.subarray(0, length)),
      ),
      { seed: 5, numRuns: 40 },
    );
  });

  Deno.test(`${file} with flipped bits is read or refused`, async () => {
    const flip = fc.tuple(fc.nat(original.length - 1), fc.integer({ min: 1, max: 255 }));
    await fc.assert(
      fc.asyncProperty(fc.array(flip, { minLength: 1, maxLength: 6 }), (flips) => {
        const bytes = original.slice();
        for (const [at, bits] of flips) bytes[at]! ^= bits;
        return readOrRefuse(bytes);
      }),
      { seed: 6, numRuns: 60 },
    );
  });

  Deno.test(`${file} with a run of one byte is read or refused`, async () => {
    const at = fc.nat(original.length - 1);
    await fc.assert(
      fc.asyncProperty(
        at,
        fc.nat(40),
        fc.constantFrom(0, 0x7f, 0x80, 0xff),
        (at, length, byte) => readOrRefuse(original.slice().fill(byte, at, at + length)),
      ),
      { seed: 7, numRuns: 40 },
    );
  });
}
