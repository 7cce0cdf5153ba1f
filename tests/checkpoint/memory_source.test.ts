import { assertEquals, assertRejects } from "@std/assert";
import { memorySource } from "../../core/checkpoint/memory_source.ts";

Deno.test("a slice owns its buffer from the first byte on", async () => {
  const bytes = new Uint8Array([9, 9, 1, 2, 3, 4]).subarray(2);
  const source = memorySource(bytes);
  const slice = await source.slice(1, 3);
  assertEquals([...slice], [2, 3]);
  assertEquals([slice.byteOffset, slice.buffer.byteLength], [0, 2]);
  slice[0] = 77;
  assertEquals([...await source.slice(0, 4)], [1, 2, 3, 4]);
  assertEquals((await source.slice(4, 4)).length, 0);
  const target = new Uint8Array(2);
  await source.readInto?.(target, 2);
  assertEquals([...target], [3, 4]);
});

Deno.test("a range outside the source is a RangeError", async () => {
  const source = memorySource(new Uint8Array(4));
  for (const [start, end] of [[-1, 2], [3, 2], [0, 5], [0.5, 2], [0, NaN]] as const) {
    await assertRejects(() => source.slice(start, end), RangeError, "[0, 4]");
  }
  await assertRejects(
    async () => await source.readInto?.(new Uint8Array(2), 3),
    RangeError,
    "[3, 5)",
  );
  source.close?.();
  await assertRejects(() => source.slice(0, 1), RangeError, "closed");
});
