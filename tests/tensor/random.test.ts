import { assert, assertEquals } from "@std/assert";
import { maskThreshold, randomKey, randomWord, threefry2x32 } from "../../core/tensor/random.ts";

Deno.test("threefry2x32 gives the published known answers", () => {
  assertEquals(threefry2x32([0, 0], [0, 0]), [0x6b200159, 0x99ba4efe]);
  assertEquals(
    threefry2x32([0xffffffff, 0xffffffff], [0xffffffff, 0xffffffff]),
    [0x1cb996fc, 0xbb002be7],
  );
  assertEquals(
    threefry2x32([0x13198a2e, 0x03707344], [0x243f6a88, 0x85a308d3]),
    [0xc4923a9c, 0x483df7a0],
  );
});

Deno.test("the key and the words of a stream are those of METHODS.md 2.10", async () => {
  const key = await randomKey(0, "mask", "A", "w");
  assertEquals(key, [0xd75deef8, 0x23f01be6]);
  const words = [0, 1, 2, 3].map((element) => randomWord(key, element));
  assertEquals(words, [0x83514469, 0x2e97fad8, 0xae0570aa, 0x03b15d92]);
  assertEquals(randomWord(key, 2 ** 33 + 1), 0x1c1e658c);
});

Deno.test("the integer threshold keeps exactly the words whose quotient is below p", () => {
  for (const p of [0, 1e-9, 0.1, 0.3, 0.5, 1 / 3, 0.999999999, 1]) {
    const limit = maskThreshold(p);
    for (const top of [limit - 1, limit, limit + 1]) {
      if (top < 0 || top >= 2 ** 24) continue;
      assertEquals(top < limit, top / 2 ** 24 < p, `p ${p}, top ${top}`);
    }
  }
  assert(maskThreshold(1) === 2 ** 24);
});
