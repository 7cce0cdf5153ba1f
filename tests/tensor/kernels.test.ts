import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { createKernels } from "../../core/tensor/kernels/mod.ts";
import { maskThreshold, randomWord, type Words } from "../../core/tensor/random.ts";

const COUNT = 64;

function setUp() {
  const kernels = createKernels();
  kernels.reserve(1 << 20);
  const floats = (at: number, count = COUNT) => new Float32Array(kernels.memory.buffer, at, count);
  const words = (at: number, count = COUNT) => new Uint32Array(kernels.memory.buffer, at, count);
  return { ...kernels, floats, words };
}

const keyOf = (value: number, base: number) => {
  const difference = new Float32Array([Math.fround(value) - Math.fround(base)]);
  return new Uint32Array(difference.buffer)[0]! & 0x7fffffff;
};

const grid = fc.array(fc.integer({ min: -6, max: 6 }).map((i) => i / 4), {
  minLength: COUNT,
  maxLength: COUNT,
});

Deno.test("random masks equal the scalar definition, across the low counter word's end", () => {
  const { call, floats } = setUp();
  const key: Words = [0xd75deef8, 0x23f01be6];
  for (const first of [0, 4096, 2 ** 33 - 4096, 2 ** 33, 2 ** 35 + 8192]) {
    for (const probability of [0, 0.3, 0.5, 1]) {
      floats(0).fill(1);
      floats(1024).fill(-1);
      const pair = first / 2;
      const [low, high] = [pair % 2 ** 32 | 0, Math.floor(pair / 2 ** 32)];
      call.keepRandom(
        0,
        1024,
        COUNT,
        key[0] | 0,
        key[1] | 0,
        low,
        high,
        maskThreshold(probability),
      );
      const expected = Array.from(
        { length: COUNT },
        (_, e) => (randomWord(key, first + e) >>> 8) / 2 ** 24 < probability ? 1 : -1,
      );
      assertEquals([...floats(0)], expected, `first ${first}, p ${probability}`);
    }
  }
});

Deno.test("histograms count every key once, coarsely and inside a window", () => {
  const { call, floats, words } = setUp();
  fc.assert(
    fc.property(grid, grid, (x, b) => {
      floats(0).set(x);
      floats(1024).set(b);
      const coarse = words(65536, 65536).fill(0);
      const first = 0x3f80 * 2;
      const fine = words(65536 + 262144, 32768).fill(0);
      call.bothHistograms(0, 1024, COUNT, 65536, first, 1, 65536 + 262144);
      const keys = x.map((value, i) => keyOf(value, b[i]!));
      for (const key of new Set(keys)) {
        const bin = key >>> 15;
        assertEquals(coarse[bin], keys.filter((other) => other >>> 15 === bin).length);
        if (bin === first) {
          assertEquals(fine[key & 0x7fff], keys.filter((other) => other === key).length);
        }
      }
      assertEquals(coarse.reduce((a, c) => a + c, 0), COUNT);
      assertEquals(
        fine.reduce((a, c) => a + c, 0),
        keys.filter((key) => key >>> 15 === first).length,
      );
    }),
    { numRuns: 20 },
  );
});

Deno.test("a threshold with a quota keeps the first equal keys, in order", () => {
  const { call, floats } = setUp();
  fc.assert(fc.property(grid, grid, fc.nat(COUNT), fc.nat(COUNT - 1), (x, b, quota, pick) => {
    floats(0).set(x);
    floats(1024).set(b);
    const keys = x.map((value, i) => keyOf(value, b[i]!));
    const threshold = keys[pick]!;
    assertEquals(
      call.countEqual(0, 1024, COUNT, threshold),
      keys.filter((key) => key === threshold).length,
    );
    call.keepWithQuota(0, 1024, COUNT, threshold, quota);
    let left = quota;
    const expected = x.map((value, i) => {
      const keep = keys[i]! > threshold || (keys[i] === threshold && left-- > 0);
      return keep ? value : b[i]!;
    });
    assertEquals([...floats(0)], expected);
    floats(0).set(x);
    call.keepFrom(0, 1024, COUNT, threshold);
    assertEquals([...floats(0)], x.map((value, i) => keys[i]! >= threshold ? value : b[i]!));
  }));
});

Deno.test("elements on which all rows agree are taken over, others stay", () => {
  const { call, floats } = setUp();
  fc.assert(fc.property(grid, grid, grid, (a, b, y) => {
    floats(0).set(a);
    floats(256).set(b);
    floats(1024).set(y);
    call.takeAgreed(1024, 0, 2, 256, COUNT);
    assertEquals([...floats(1024)], y.map((value, i) => a[i] === b[i] ? a[i]! : value));
  }));
});
