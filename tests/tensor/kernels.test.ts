import { assert, assertEquals } from "@std/assert";
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
      call.keepRandom(0, 1024, COUNT, ...key, first, maskThreshold(probability), 4096);
      const expected = Array.from(
        { length: COUNT },
        (_, e) => (randomWord(key, first + e) >>> 8) / 2 ** 24 < probability ? 1 : -1,
      );
      assertEquals([...floats(0)], expected, `first ${first}, p ${probability}`);
    }
  }
});

Deno.test("a sample counts every key by its bin, and knows one of each", () => {
  const { call, floats, words } = setUp();
  fc.assert(fc.property(grid, grid, (x, b) => {
    floats(0).set(x);
    floats(1024).set(b);
    const coarse = words(65536, 65536).fill(0);
    const last = words(65536 + 262144, 65536);
    call.sampleKeys(0, 1024, COUNT, 65536, 65536 + 262144);
    const keys = x.map((value, i) => keyOf(value, b[i]!));
    for (const key of new Set(keys)) {
      const same = keys.filter((other) => other >>> 15 === key >>> 15);
      assertEquals(coarse[key >>> 15], same.length);
      assertEquals(last[key >>> 15], same.at(-1));
    }
    assertEquals(coarse.reduce((a, c) => a + c, 0), COUNT);
  }));
});

Deno.test("all float16 are decoded as the platform decodes them", () => {
  const { call, memory, floats, words } = setUp();
  const halves = new Uint16Array(memory.buffer, 0, 65_536).map((_, bits) => bits);
  new Uint16Array(memory.buffer, 0, 65_536).set(halves);
  assertEquals(call.f16ToF32(0, 1 << 18, 65_536), 1);
  const expected = Float32Array.from(new Float16Array(halves.buffer));
  const actual = floats(1 << 18, 65_536);
  for (let bits = 0; bits < 65_536; bits++) {
    // Which NaN does not matter, but it must not become finite.
    if (Number.isNaN(expected[bits]!)) assert(Number.isNaN(actual[bits]!), `${bits}`);
    else assert(Object.is(actual[bits], expected[bits]), `${bits}`);
  }
  assertEquals(words(1 << 18, 1)[0], 0);
  assertEquals(call.f16ToF32(0, 1 << 18, 0x7c00), 0);
});

Deno.test("float32 are rounded to float16 as the platform rounds them", () => {
  const { call, memory, floats } = setUp();
  const halves = Float32Array.from(
    new Float16Array(Uint16Array.from({ length: 0x7c00 }, (_, bits) => bits).buffer),
  );
  /** Every float16, what lies half-way to the next one, and what lies next to that on both sides. */
  const values = [...halves].flatMap((value, i) => {
    const middle = (value + (halves[i + 1] ?? 65_536)) / 2;
    const [bits] = new Uint32Array(new Float32Array([middle]).buffer);
    const [below, above] = new Float32Array(Uint32Array.of(bits! - 1, bits! + 1).buffer);
    return [value, middle, below!, above!].flatMap((each) => [each, -each]);
  }).filter((value) => Math.abs(value) < 65_520);
  values.push(...Array<number>((8 - values.length % 8) % 8).fill(0));
  const target = 1 << 22;
  memory.grow(128);
  floats(0, values.length).set(values);
  assertEquals(call.f32ToF16(0, target, values.length), 0);
  const expected = new Uint16Array(new Float16Array(values).buffer);
  const actual = new Uint16Array(memory.buffer, target, values.length);
  expected.forEach((bits, i) => assert(actual[i] === bits, `${values[i]}: ${actual[i]}, ${bits}`));
  for (const value of [65_520, -65_520, 1e30, Infinity, -Infinity, NaN]) {
    floats(0, 8).fill(1)[5] = value;
    assertEquals(call.f32ToF16(0, target, 8), 1, `${value}`);
  }
});

/** Writes elements in a type that is exact for them. */
function place(at: number, values: readonly number[], type: Type, memory: WebAssembly.Memory) {
  const bits = new Uint32Array(Float32Array.from(values).buffer);
  if (type === "float32") new Uint32Array(memory.buffer, at, bits.length).set(bits);
  else if (type === "float16") new Float16Array(memory.buffer, at, bits.length).set(values);
  else new Uint16Array(memory.buffer, at, bits.length).set(bits.map((word) => word >>> 16));
}

const counts = fc.integer({ min: COUNT - 7, max: COUNT });

/** Two rows in a type, and the keys of the first elements. */
function placeRows(
  x: readonly number[],
  b: readonly number[],
  count: number,
  type: Type,
  memory: WebAssembly.Memory,
): number[] {
  place(0, x, type, memory);
  place(1024, b, type, memory);
  return x.slice(0, count).map((value, i) => keyOf(value, b[i]!));
}

const TYPES = ["float32", "bfloat16", "float16"] as const;
type Type = typeof TYPES[number];

for (const type of TYPES) {
  Deno.test(`a window lists its keys in order, and counts what lies above, zeros and guessed keys, of ${type}`, () => {
    const { call, memory, words } = setUp();
    const { listWindow, listWindowBf16, listWindowF16 } = call;
    const list = { float32: listWindow, bfloat16: listWindowBf16, float16: listWindowF16 }[type];
    fc.assert(fc.property(
      grid,
      grid,
      counts,
      fc.tuple(fc.nat(COUNT - 8), fc.nat(COUNT - 8), fc.nat(COUNT - 8)),
      fc.nat(COUNT),
      (x, b, count, picked, room) => {
        const keys = placeRows(x, b, count, type, memory);
        const [low, guess, high] = picked.map((i) => keys[i]!).sort((a, b) => a - b);
        const listed = words(65536).fill(7);
        list(0, 1024, count, low!, high!, guess!, 65536, room, 4096);
        const within = keys.filter((key) => key >= low! && key <= high! && key !== guess);
        assertEquals([...words(4096, 5)], [
          keys.filter((key) => key > high!).length,
          keys.filter((key) => key === 0).length,
          keys.filter((key) => key === guess).length,
          within.length,
          Math.max(...keys),
        ]);
        const written = within.slice(0, room);
        assertEquals([...listed], [...written, ...Array(COUNT - written.length).fill(7)]);
      },
    ));
  });

  Deno.test(`the place behind so many equal keys is found, or how many there are, of ${type}`, () => {
    const { call, memory } = setUp();
    const { findEqual, findEqualBf16, findEqualF16 } = call;
    const find = { float32: findEqual, bfloat16: findEqualBf16, float16: findEqualF16 }[type];
    fc.assert(fc.property(
      grid,
      grid,
      counts,
      fc.oneof(fc.nat(COUNT - 8), fc.constant(-1)),
      fc.integer({ min: 1, max: COUNT }),
      (x, b, count, picked, quota) => {
        const keys = placeRows(x, b, count, type, memory);
        // Of the last one there is none.
        const key = keys[picked] ?? keyOf(99, 0);
        const places = keys.flatMap((each, i) => each === key ? [i] : []);
        const expected = places.length < quota ? ~places.length : places[quota - 1]! + 1;
        assertEquals(find(0, 1024, count, key, quota), expected);
      },
    ));
  });
}

Deno.test("a window that reaches to the last key has nothing above it", () => {
  const { call, floats, words } = setUp();
  floats(0).fill(NaN);
  floats(1024).fill(0);
  call.listWindow(0, 1024, COUNT, 0, 0x7fffffff, 0, 65536, COUNT, 4096);
  assertEquals([...words(4096, 5)], [0, 0, 0, COUNT, keyOf(NaN, 0)]);
});

Deno.test("keys of one bin are counted one by one", () => {
  const { call, floats, words } = setUp();
  fc.assert(fc.property(grid, grid, fc.nat(COUNT - 1), (x, b, pick) => {
    floats(0).set(x);
    floats(1024).set(b);
    const keys = x.map((value, i) => keyOf(value, b[i]!));
    const bin = keys[pick]! >>> 15;
    const fine = words(65536, 32768).fill(0);
    call.fineHistogram(0, 1024, COUNT, bin, 65536);
    for (const key of keys.filter((key) => key >>> 15 === bin)) {
      assertEquals(fine[key & 0x7fff], keys.filter((other) => other === key).length);
    }
    assertEquals(
      fine.reduce((a, c) => a + c, 0),
      keys.filter((key) => key >>> 15 === bin).length,
    );
  }));
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

Deno.test("what lies inside a cut is dropped, the first equal keys in order", () => {
  const { call, floats } = setUp();
  fc.assert(fc.property(grid, grid, fc.nat(COUNT), fc.nat(COUNT - 1), (x, b, quota, pick) => {
    const keys = x.map((value, i) => keyOf(value, b[i]!));
    const threshold = keys[pick]!;
    floats(0).set(x);
    floats(1024).set(b);
    call.dropWithQuota(0, 1024, COUNT, threshold, quota);
    let left = quota;
    const expected = x.map((value, i) => {
      const drop = keys[i]! > threshold || (keys[i] === threshold && left-- > 0);
      return drop ? b[i]! : value;
    });
    assertEquals([...floats(0)], expected);
    floats(0).set(x);
    call.dropFrom(0, 1024, COUNT, threshold);
    assertEquals([...floats(0)], x.map((value, i) => keys[i]! >= threshold ? b[i]! : value));
  }));
});

Deno.test("what scores above a cut is kept, the first equal scores in order", () => {
  const { call, floats } = setUp();
  fc.assert(fc.property(grid, grid, grid, fc.nat(COUNT), fc.nat(COUNT - 1), (x, b, s, quota, i) => {
    const scores = s.map(Math.abs);
    floats(0).set(x);
    floats(1024).set(b);
    floats(2048).set(scores);
    call.keepScored(0, 1024, 2048, COUNT, keyOf(scores[i]!, 0), quota);
    let left = quota;
    const expected = x.map((value, j) =>
      scores[j]! > scores[i]! || (scores[j] === scores[i] && left-- > 0) ? value : b[j]!
    );
    assertEquals([...floats(0)], expected);
  }));
});

/** METHODS.md 4, magprune, on one chunk: what each element becomes. */
function pruned(
  values: readonly number[],
  [length, stride]: readonly [number, number],
  [density, epsilon]: readonly [number, number],
  unit: (element: number) => number,
): { kept: boolean; p: number }[] {
  const result: { kept: boolean; p: number }[] = [];
  for (let block = 0; block < values.length; block += length * stride) {
    for (let column = 0; column < stride; column++) {
      const places = Array.from({ length }, (_, i) => block + column + i * stride);
      const order = [...places].sort((i, k) =>
        Math.abs(values[k]!) - Math.abs(values[i]!) || i - k
      );
      order.forEach((place, position) => {
        const rank = length - position;
        const p = length === 1
          ? density
          : density - epsilon + 2 * epsilon * (rank - 1) / (length - 1);
        result[place] = { kept: unit(place) < p, p };
      });
    }
  }
  return result;
}

Deno.test("ranked masks equal the definition, for every layout of vectors", () => {
  const { call, floats, words } = setUp();
  const key: Words = [0x12345678, 0x9abcdef0];
  fc.assert(fc.property(
    grid,
    fc.constantFrom<[number, number]>([64, 1], [8, 1], [1, 1], [4, 4], [2, 32], [1, 8], [16, 2]),
    fc.constantFrom<[number, number]>([0.5, 0.5], [0.5, 0.2], [0.3, 0.3], [0.75, 0]),
    fc.constantFrom(0, 1, 4097, 2 ** 33 - 31),
    (values, vectors, density, first) => {
      const expected = pruned(
        values,
        vectors,
        density,
        (e) => (randomWord(key, first + e) >>> 8) / 2 ** 24,
      );
      for (const divide of [0, 1]) {
        floats(0).set(values.map((value) => value + 2));
        floats(1024).fill(2);
        call.keepRanked(0, 1024, COUNT, ...vectors, ...density, divide, 0, ...key, first, 4096);
        const actual = [...floats(0)];
        expected.forEach(({ kept, p }, j) => {
          const value = divide ? Math.fround(values[j]! / p) : values[j]! + 2;
          assertEquals(actual[j], kept ? value : divide ? 0 : 2, `element ${j}`);
        });
      }
      // With draws, u is their low 24 bits and p is rounded to float32.
      const draws = words(65536);
      draws.forEach((_, j) => draws[j] = Math.imul(j + 1, 0x9e3779b1));
      const drawn = pruned(values, vectors, density, (e) => (draws[e]! & 0xffffff) / 2 ** 24);
      floats(0).set(values);
      floats(1024).fill(0);
      call.keepRanked(0, 1024, COUNT, ...vectors, ...density, 0, 65536, 0, 0, 0, 4096);
      assertEquals([...floats(0)], values.map((value, j) => drawn[j]!.kept ? value : 0));
    },
  ));
});

/** Vectors whose order is found in bins, in bins that are given up, and digit by digit. */
const LONG_VECTORS: [string, number, (i: number) => number][] = [
  ["over all scales", 100_003, (i) => Math.sin(i) * 10 ** (i % 7 - 3) * (i % 3 ? 1 : 0)],
  ["of a few thousand", 5003, (i) => Math.sin(i) * 10 ** (i % 7 - 3) * (i % 3 ? 1 : 0)],
  ["of many equal ones", 2500, (i) => (i * 7 % 11) / 64],
  ["in one bin", 3001, (i) => 1 + (i * 1009 % 3001) * 2 ** -23],
  ["below all bins", 1500, (i) => i === 700 ? 1e9 : 1e-9 * (1 + i * 331 % 1500)],
  ["that are subnormal", 300, (i) => (i * 7 % 300) * 2 ** -149],
  ["next to the largest", 900, (i) => (i * 7 % 900 - 450) * 7e35],
  ["of a few", 37, (i) => Math.cos(i)],
  ["of zeros", 300, () => 0],
];

for (const [name, length, value] of LONG_VECTORS) {
  Deno.test(`ranks of vectors ${name} are exact`, () => {
    const { call, floats, reserve } = setUp();
    const [x, b, work] = [0, 1 << 19, 1 << 20];
    reserve(work + 24 * length + 131072);
    const values = Float32Array.from({ length }, (_, i) => value(i));
    floats(b, length).fill(0);
    floats(x, length).set(values);
    const key: Words = [1, 2];
    call.keepRanked(x, b, length, length, 1, 0.5, 0.5, 1, 0, ...key, 0, work);
    const order = [...values.keys()].sort((i, k) =>
      Math.abs(values[k]!) - Math.abs(values[i]!) || i - k
    );
    const result = floats(x, length);
    order.forEach((place, position) => {
      const p = (length - position - 1) / (length - 1);
      const kept = (randomWord(key, place) >>> 8) / 2 ** 24 < p;
      assertEquals(result[place], kept ? Math.fround(values[place]! / p) : 0, `element ${place}`);
    });
  });
}
