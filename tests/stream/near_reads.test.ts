import { assert, assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import type { ByteSource } from "../../core/checkpoint/byte_source.ts";
import type { StoredTensor } from "../../core/checkpoint/checkpoint.ts";
import { memorySource } from "../../core/checkpoint/memory_source.ts";
import type { PlannedTensor } from "../../core/merge/plan_types.ts";
import { nearReads } from "../../core/stream/near_reads.ts";

const { signal } = new AbortController();

/** Tensors that are copied, one behind the other in the source, in the order of `lengths`. */
function tensorsOf(source: ByteSource, lengths: readonly number[]): StoredTensor[] {
  let at = 0;
  return lengths.map((length, i) => {
    const start = at;
    at += length;
    return { name: String(i), dtype: "U8", shape: [length], source, start, end: at };
  });
}

/** The part of a plan that tells what is read. */
function planOf(tensors: readonly StoredTensor[]): PlannedTensor[] {
  return tensors.map((tensor) => {
    const input = { model: "m", tensor, kind: "weights" as const };
    return {
      name: tensor.name,
      work: { kind: "copy", input, compare: [] },
    } as unknown as PlannedTensor;
  });
}

function bytesOf(length: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, (_, i) => Math.imul(i, 2654435761) >>> 24);
}

/** Counts the reads; those that reach the byte `bad` fail. */
function watched(bytes: Uint8Array, bad = Infinity): ByteSource & { readonly reads: () => number } {
  const { byteLength, slice, readInto } = memorySource(bytes);
  let reads = 0;
  const check = (end: number) => {
    reads++;
    if (end > bad) throw new RangeError("gone");
  };
  return {
    byteLength,
    reads: () => reads,
    async slice(start, end) {
      check(end);
      return await slice(start, end);
    },
    async readInto(target, start) {
      check(start + target.length);
      // Others ask meanwhile.
      await new Promise((later) => setTimeout(later));
      await readInto!(target, start);
    },
  };
}

Deno.test("whatever the order and however many at once, each tensor's own bytes are lent", async () => {
  const length = fc.oneof(fc.nat(300), fc.nat(9000), fc.constantFrom(100_000, 300_000));
  await fc.assert(
    fc.asyncProperty(
      fc.array(length, { minLength: 1, maxLength: 60 }),
      fc.integer({ min: 1, max: 9 }),
      fc.infiniteStream(fc.nat()),
      async (lengths, width, draws) => {
        const bytes = bytesOf(lengths.reduce((sum, length) => sum + length, 0));
        const tensors = tensorsOf(watched(bytes), lengths);
        const order = tensors.map((tensor) => ({ tensor, key: draws.next().value! % 97 }))
          .sort((a, b) => a.key - b.key).map(({ tensor }) => tensor);
        const near = nearReads(planOf(order), signal);
        let next = 0;
        await Promise.all(Array.from({ length: width }, async () => {
          for (let at = next++; at < order.length; at = next++) {
            const pair = [order[at]!, order[draws.next().value! % order.length]!];
            await near.lend(pair, async (lent) => {
              // What others read meanwhile does not change what is lent.
              await new Promise((later) => setTimeout(later));
              pair.forEach(({ start, end }, i) => assertEquals(lent[i], bytes.slice(start, end)));
            });
          }
        }));
        near.close();
      },
    ),
    { numRuns: 15 },
  );
});

Deno.test("neighbours are read at once, in their order or nearly so", async () => {
  const source = watched(bytesOf(1000 * 512));
  const tensors = tensorsOf(source, Array(1000).fill(512));
  // Every two change places.
  const order = tensors.map((_, i) => tensors[i ^ 1]!);
  const near = nearReads(planOf(order), signal);
  for (const tensor of order) await near.lend([tensor], () => Promise.resolve());
  assert(source.reads() <= 4, String(source.reads()));
});

Deno.test("what lies far apart is read alone", async () => {
  const bytes = bytesOf(1 << 20);
  const read: number[] = [];
  const source: ByteSource = {
    byteLength: bytes.length,
    slice: (start, end) => {
      read.push(end - start);
      return Promise.resolve(bytes.slice(start, end));
    },
  };
  const tensors = [0, 400_000, 100_000].map((start): StoredTensor => (
    { name: String(start), dtype: "U8", shape: [10], source, start, end: start + 10 }
  ));
  const near = nearReads(planOf(tensors), signal);
  for (const tensor of tensors) await near.lend([tensor], () => Promise.resolve());
  assertEquals(read, [10, 10, 10]);
});

Deno.test("a tensor that cannot be read does not take its neighbours along", async () => {
  const bytes = bytesOf(100);
  const tensors = tensorsOf(watched(bytes, 75), Array(10).fill(10));
  const near = nearReads(planOf(tensors), signal);
  for (const tensor of tensors.slice(0, 7)) {
    await near.lend([tensor], ([lent]) => {
      assertEquals(lent, bytes.slice(tensor.start, tensor.end));
      return Promise.resolve();
    });
  }
  await assertRejects(() => near.lend([tensors[7]!], () => Promise.resolve()), RangeError, "gone");
});

Deno.test("a buffer that is lent goes to nobody else, even after the close", async () => {
  const bytes = bytesOf(60_000);
  const tensors = tensorsOf(watched(bytes), [30_000, 30_000]);
  const near = nearReads(planOf(tensors), signal);
  await near.lend([tensors[0]!], async ([lent]) => {
    near.close();
    const others = tensorsOf(watched(new Uint8Array(60_000)), [60_000]);
    for (let i = 0; i < 3; i++) {
      const other = nearReads(planOf(others), signal);
      await other.lend([others[0]!], () => Promise.resolve());
      other.close();
    }
    assertEquals(lent, bytes.slice(0, 30_000));
  });
});
