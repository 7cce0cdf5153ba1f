import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { mergeValues } from "../support/merging.ts";

/** What METHODS.md 2.9 says, by sorting: the k largest magnitudes, ties by lower index. */
function trimmed(values: readonly number[], keep: number): number[] {
  const order = values.map((_, i) => i)
    .sort((i, k) => Math.abs(values[k]!) - Math.abs(values[i]!) || i - k);
  const kept = new Set(order.slice(0, keep));
  return values.map((value, i) => kept.has(i) ? value : 0);
}

async function trim(values: readonly number[], density: number): Promise<number[]> {
  return await mergeValues({
    merge_method: "ties",
    base_model: "base",
    models: [{ model: "a", parameters: { density } }],
  }, { base: { w: values.map(() => 0) }, a: { w: values } });
}

/** Few different magnitudes, so that many elements tie at the threshold. */
const coarse = fc.integer({ min: -3, max: 3 }).map((value) => value / 2);
const smooth = fc.double({ min: -1, max: 1, noNaN: true }).map(Math.fround);

/** Repeats a short list with a drift, to fill several chunks quickly. */
const long = (list: readonly number[], scale: number) =>
  Array.from({ length: 9000 }, (_, i) => Math.fround(list[i % list.length]! * (1 + scale * i)));

for (
  const [name, element, scale] of [["with ties", coarse, 0], ["without", smooth, 1e-4]] as const
) {
  Deno.test(`exactly the k largest magnitudes survive, over several chunks, ${name}`, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(element, { minLength: 7, maxLength: 40 }),
        fc.double({ min: 0.01, max: 0.99, noNaN: true }),
        async (list, density) => {
          const values = long(list, scale);
          const keep = Math.max(1, Math.floor(density * values.length));
          assertEquals(await trim(values, density), trimmed(values, keep));
        },
      ),
      { numRuns: 12 },
    );
  });
}

Deno.test("a threshold that the sample misses is found all the same", async () => {
  // What is sampled, sixteen pieces spread over all, is a thousand times larger than the rest.
  const values = Array.from({ length: 20_480 }, (_, i) => {
    const sampled = i % 1280 >= 640 && i % 1280 < 640 + 320;
    return Math.fround(Math.sin(i + 1) * (sampled ? 1000 : 1));
  });
  assertEquals(await trim(values, 0.5), trimmed(values, 10_240));
});

Deno.test("a threshold is found among more near keys than a thread lists", async () => {
  // All in one bin, and more of them than fit a list.
  const values = Array.from(
    { length: 300_000 },
    (_, i) => 1 + (i * 7919 % 30_000) * 2 ** -23,
  );
  assertEquals(await trim(values, 0.37), trimmed(values, 111_000));
});

Deno.test("every element of one magnitude: the first k survive", async () => {
  const values = Array.from({ length: 10_000 }, (_, i) => i % 3 === 0 ? -0.25 : 0.25);
  assertEquals(await trim(values, 0.37), trimmed(values, 3700));
});

Deno.test("k of 0 is raised to 1, and density 0 keeps nothing", async () => {
  assertEquals(await trim([1, -3, 2], 0.1), [0, -3, 0]);
  assertEquals(await trim([1, -3, 2], 0), [0, 0, 0]);
});
