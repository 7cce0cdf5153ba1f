import { assertEquals } from "@std/assert";
import { drawMask, mt19937 } from "../../core/tensor/mt19937.ts";

Deno.test("mt19937 gives the first words of the reference program for seed 5489", () => {
  const next = mt19937(5489);
  assertEquals([next(), next(), next(), next(), next()], [
    3499211612,
    581869302,
    3890346734,
    3586334585,
    545404204,
  ]);
  const again = mt19937(5489);
  let word = 0;
  for (let i = 0; i < 10_000; i++) word = again();
  assertEquals(word, 4123659995);
});

Deno.test("only the low 32 bits of the seed count", () => {
  assertEquals(mt19937(2 ** 40 + 7)(), mt19937(7)());
});

Deno.test("a mask keeps nothing at probability 0 and everything at 1", () => {
  assertEquals(drawMask(mt19937(1), 100, 0).some((keep) => keep === 1), false);
  assertEquals(drawMask(mt19937(1), 100, 1).every((keep) => keep === 1), true);
});
