import { assertEquals, assertRejects } from "@std/assert";
import { blobSource } from "../../core/checkpoint/blob_source.ts";
import { Problem } from "../../core/problem.ts";

Deno.test("a slice of a blob owns its buffer from the first byte on", async () => {
  const source = blobSource(new Blob([new Uint8Array([1, 2, 3]), new Uint8Array([4, 5])]));
  assertEquals(source.byteLength, 5);
  const slice = await source.slice(2, 4);
  assertEquals([...slice], [3, 4]);
  assertEquals([slice.byteOffset, slice.buffer.byteLength], [0, 2]);
  slice[0] = 77;
  assertEquals([...await source.slice(0, 5)], [1, 2, 3, 4, 5]);
  assertEquals((await source.slice(5, 5)).length, 0);
});

Deno.test("a range outside the blob is a RangeError, and so is any after its end", async () => {
  const source = blobSource(new Blob([new Uint8Array(4)]));
  for (const [start, end] of [[-1, 2], [3, 2], [0, 5], [0.5, 2], [0, NaN]] as const) {
    await assertRejects(() => source.slice(start, end), RangeError, "[0, 4]");
  }
  source.close?.();
  await assertRejects(() => source.slice(0, 1), RangeError, "closed");
});

Deno.test("a file that was changed since it was chosen is told in words", async () => {
  // What a browser's File does once the file on disk has changed.
  const changed = new Blob([new Uint8Array(4)]);
  changed.slice = () => {
    const part = new Blob();
    part.arrayBuffer = () => Promise.reject(new DOMException("gone", "NotReadableError"));
    return part;
  };
  const error = await assertRejects(
    () => blobSource(changed).slice(1, 3),
    Problem,
    "changed or removed",
  );
  assertEquals(error.kind, "invalid-checkpoint");
});

Deno.test("a slice that is no longer wanted is not answered", async () => {
  const source = blobSource(new Blob([new Uint8Array(4)]));
  await assertRejects(
    () => source.slice(0, 4, AbortSignal.abort(new DOMException("stop", "AbortError"))),
    DOMException,
    "stop",
  );
});
