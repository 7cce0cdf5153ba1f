import { assertEquals } from "@std/assert";
import { freeGiven, giveAway } from "../../core/stream/given_bytes.ts";

Deno.test("only what was given away is freed, once, and only as a whole", () => {
  const kept = new Uint8Array(8);
  freeGiven(kept);
  assertEquals(kept.byteLength, 8);
  const given = giveAway(new Uint8Array(8).fill(7));
  freeGiven(given.subarray(0, 4));
  freeGiven(given.subarray(1));
  assertEquals([...given], Array(8).fill(7));
  freeGiven(given);
  assertEquals(given.byteLength, 0);
  freeGiven(given);
  if ("SharedArrayBuffer" in globalThis) freeGiven(new Uint8Array(new SharedArrayBuffer(4)));
});
