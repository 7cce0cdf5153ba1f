import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import type { Bytes } from "../../core/checkpoint/byte_source.ts";
import { gatherPieces } from "../../core/stream/gather_pieces.ts";

async function* from(pieces: readonly Bytes[]): AsyncGenerator<Bytes> {
  for (const piece of pieces) yield await Promise.resolve(piece);
}

/** Pieces of these lengths whose bytes tell where they stand. */
function piecesOf(lengths: readonly number[]): Bytes[] {
  let at = 0;
  return lengths.map((length) => new Uint8Array(length).fill(at++ % 251));
}

Deno.test("gathered pieces are the same bytes, in buffers of their own", async () => {
  const length = fc.oneof(fc.nat(5000), fc.constantFrom(0, 65_535, 65_536, 70_000, 300_000));
  await fc.assert(
    fc.asyncProperty(fc.array(length, { maxLength: 40 }), async (lengths) => {
      const pieces = piecesOf(lengths);
      const whole = await new Blob(pieces).bytes();
      const gathered = await Array.fromAsync(gatherPieces(from(pieces)));
      assertEquals(await new Blob(gathered).bytes(), whole);
      for (const { byteOffset, byteLength, buffer } of gathered) {
        assertEquals([byteOffset, buffer.byteLength], [0, byteLength]);
      }
    }),
    { numRuns: 30 },
  );
});

Deno.test("ten thousand small pieces become few, large ones go on as they are", async () => {
  const small = await Array.fromAsync(
    gatherPieces(from(piecesOf(Array(10_000).fill(4096)))),
  );
  assert(small.length < 50, String(small.length));
  const large = piecesOf([600_000, 10, 700_000]);
  const [first, , last] = await Array.fromAsync(gatherPieces(from(large)));
  assert(first === large[0] && last === large[2]);
});

Deno.test("what comes before a failure of the pieces may be lost, the failure is not", async () => {
  const failing = async function* (): AsyncGenerator<Bytes> {
    yield await Promise.resolve(new Uint8Array(3));
    throw new RangeError("torn");
  };
  const failed = await Array.fromAsync(gatherPieces(failing())).catch(String);
  assertEquals(failed, "RangeError: torn");
});

Deno.test("a small piece does not wait for one that is long in coming", async () => {
  const { promise, resolve } = Promise.withResolvers<Bytes>();
  const slow = async function* (): AsyncGenerator<Bytes> {
    yield await Promise.resolve(new Uint8Array(3));
    yield await promise;
  };
  const gathered = gatherPieces(slow());
  // The second one comes only after this.
  assertEquals((await gathered.next()).value?.length, 3);
  resolve(new Uint8Array(5));
  assertEquals((await gathered.next()).value?.length, 5);
  assertEquals((await gathered.next()).done, true);
});

Deno.test("who stops taking pieces ends those that make them", async () => {
  let ended = false;
  const endless = async function* (): AsyncGenerator<Bytes> {
    try {
      for (;;) yield await Promise.resolve(new Uint8Array(1000));
    } finally {
      ended = true;
    }
  };
  for await (const piece of gatherPieces(endless())) {
    assert(piece.length > 1000);
    break;
  }
  assert(ended);
});
