import { assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { streamedBlob } from "../../core/checkpoint/streamed_blob.ts";
import { Problem } from "../../core/problem.ts";

const BYTES = new Uint8Array(1_000_003).map((_, i) => i * 31 + (i >> 8) * 7 + (i >> 16));

/** A blob that counts how often a read of it was begun, and whose streams come in pieces of an odd size. */
function counted(): {
  readonly blob: Blob;
  readonly streams: () => number;
  readonly slices: () => number;
} {
  const [all, blob] = [new Blob([BYTES]), new Blob([BYTES])];
  let [streams, slices] = [0, 0];
  blob.slice = (start, end) => {
    const part = all.slice(start, end);
    const read = part.arrayBuffer.bind(part);
    part.arrayBuffer = () => {
      slices++;
      return read();
    };
    part.stream = () => {
      streams++;
      let at = start ?? 0;
      return new ReadableStream({
        pull(controller) {
          if (at >= BYTES.length) return controller.close();
          controller.enqueue(BYTES.slice(at, at += 60_007));
        },
      });
    };
    return part;
  };
  return { blob, streams: () => streams, slices: () => slices };
}

Deno.test("every read answers its bytes, whatever runs at once", async () => {
  const range = fc.tuple(fc.nat({ max: BYTES.length }), fc.nat({ max: 300_000 }));
  // Walks beside each other, jumps between them, and more of them than are kept.
  const reads = fc.array(fc.tuple(range, fc.integer({ min: 1, max: 4 }), fc.boolean()), {
    maxLength: 14,
  });
  await fc.assert(
    fc.asyncProperty(reads, async (walks) => {
      const source = streamedBlob(counted().blob);
      const open: Promise<void>[] = [];
      for (const [[start, length], count, waits] of walks) {
        for (let i = 0; i < count; i++) {
          const from = Math.min(start + i * length, BYTES.length);
          const to = Math.min(from + length, BYTES.length);
          const read = source.slice(from, to).then((bytes) => {
            assertEquals(bytes.byteOffset + bytes.buffer.byteLength, to - from);
            if (!equal(bytes, BYTES.subarray(from, to))) throw new Error(`Wrong: ${from} ${to}`);
          });
          open.push(read);
          if (waits) await read;
        }
      }
      await Promise.all(open);
      source.close?.();
    }),
    { numRuns: 60 },
  );
});

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

Deno.test("walks that go on are streams, one each", async () => {
  const { blob, streams, slices } = counted();
  const source = streamedBlob(blob);
  for (let at = 0; at < 400_000; at += 100_000) {
    await Promise.all([0, 500_000].map((from) => source.slice(from + at, from + at + 100_000)));
  }
  assertEquals([streams(), slices()], [2, 0]);
  source.close?.();
});

Deno.test("short reads begin a stream only where they follow each other", async () => {
  const { blob, streams, slices } = counted();
  const source = streamedBlob(blob);
  for (const at of [5000, 100, 90_000]) await source.slice(at, at + 10);
  assertEquals([streams(), slices()], [0, 3]);
  for (const at of [90_010, 90_020, 90_030]) await source.slice(at, at + 10);
  assertEquals([streams(), slices()], [1, 3]);
  source.close?.();
});

Deno.test("a file that can be read no more is a problem; closed and aborted reads fail", async () => {
  const blob = new Blob([BYTES]);
  const gone = () => Promise.reject(new DOMException("gone", "NotReadableError"));
  blob.slice = () =>
    Object.assign(new Blob(), {
      arrayBuffer: gone,
      stream: () => new ReadableStream({ pull: gone }),
    });
  const source = streamedBlob(blob);
  const problem = await assertRejects(() => source.slice(0, 100_000), Problem);
  assertEquals(problem.kind, "invalid-checkpoint");
  await assertRejects(() => source.slice(0, BYTES.length + 1), RangeError, "range must lie");
  await assertRejects(() => source.slice(0, 1, AbortSignal.abort()), DOMException, "aborted");
  source.close?.();
  await assertRejects(() => source.slice(0, 1), RangeError, "closed");
});
