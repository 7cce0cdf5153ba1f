import { assert, assertEquals, assertLess } from "@std/assert";
import type { ByteSource } from "../../../core/checkpoint/byte_source.ts";
import { openShard } from "../../../core/atm/shard/open_shard.ts";
import { HELD_BYTES } from "../../../core/atm/shard/shard.ts";
import { Problem } from "../../../core/problem.ts";
import { caughtProblem } from "../../support/caught_problem.ts";
import { safetensorsBytes } from "../../support/safetensors_bytes.ts";

const ROWS = 200_000;
const ROW = 400;

/** A safetensors file of 80 MB that is never whole: byte k of its array x is k mod 251, and y is all 7. */
function largeFile(failAt = Infinity) {
  const size = ROWS * ROW;
  const header = safetensorsBytes(
    `{"x":{"dtype":"U8","shape":[${ROWS},${ROW}],"data_offsets":[0,${size}]},` +
      `"y":{"dtype":"U8","shape":[${ROWS}],"data_offsets":[${size},${size + ROWS}]}}`,
    0,
  );
  const reads: [number, number][] = [];
  const source: ByteSource = {
    byteLength: header.length + size + ROWS,
    slice(start, end) {
      reads.push([start, end]);
      if (reads.length > failAt) {
        return Promise.reject(new Problem("upstream", "The server is gone: current value is 503"));
      }
      const bytes = new Uint8Array(end - start);
      for (let i = 0; i < bytes.length; i++) {
        const at = start + i - header.length;
        bytes[i] = at < 0 ? header[start + i]! : at < size ? at % 251 : 7;
      }
      return Promise.resolve(bytes);
    },
  };
  return { source, reads };
}

function row(index: number): number[] {
  return Array.from({ length: ROW }, (_, i) => (index * ROW + i) % 251);
}

Deno.test("a file that is too large to be held is read by ranges, neighbours together", async () => {
  const { source, reads } = largeFile();
  assert(source.byteLength > HELD_BYTES);
  const shard = await openShard(source, "large");
  const x = shard.columns.get("x")!;
  reads.length = 0;

  const shuffled = [199_999, 5, 100_000, 6, 5, 0];
  assertEquals([...await x.read(shuffled)], shuffled.flatMap(row));
  // 0 is near enough to 5 and 6, the others stand alone.
  assertEquals(reads.map(([start, end]) => (end - start) / ROW), [7, 1, 1]);

  reads.length = 0;
  const neighbours = Array.from({ length: 4000 }, (_, i) => 1000 + i);
  const bytes = await x.read(neighbours);
  assert(bytes.every((byte, i) => byte === (1000 * ROW + i) % 251));
  assertEquals(reads.length, Math.ceil(4000 / Math.floor(1_048_576 / ROW)));
  for (const [start, end] of reads) assertLess(end - start, 1_048_577);

  assertEquals([...await shard.columns.get("y")!.read([ROWS - 1, 0])], [7, 7]);
});

Deno.test("a failing read of many ends the others", async () => {
  const { source, reads } = largeFile(3);
  const shard = await openShard(source, "large");
  const apart = Array.from({ length: 100 }, (_, i) => i * 2000);
  const problem = await caughtProblem(() => shard.columns.get("x")!.read(apart));
  assertEquals(problem.kind, "upstream");
  const count = reads.length;
  assertLess(count, 20);
  await Promise.resolve();
  assertEquals(reads.length, count);
});
