import { assertEquals, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import { memorySource } from "../../core/checkpoint/memory_source.ts";
import { openSafetensors } from "../../core/checkpoint/open_safetensors.ts";
import { layoutSafetensors, type TensorToWrite } from "../../core/checkpoint/write_safetensors.ts";
import { type DType, DTYPES, elementCount } from "../../core/tensor/dtype.ts";
import { caughtProblem } from "../support/caught_problem.ts";

const name = fc.string({ unit: "grapheme", maxLength: 12 }).filter((text) =>
  text !== "__metadata__"
);
const tensors: fc.Arbitrary<TensorToWrite[]> = fc.uniqueArray(
  fc.record({
    name,
    dtype: fc.constantFrom(...Object.keys(DTYPES) as DType[]),
    shape: fc.array(fc.nat(4), { maxLength: 3 }),
  }),
  { selector: (tensor) => tensor.name, maxLength: 12 },
);
const metadata = fc.array(fc.tuple(name, name), { maxLength: 4 }).map(Object.fromEntries<string>);

Deno.test("what is laid out is read back the same, aligned and in any order of arguments", async () => {
  await fc.assert(fc.asyncProperty(tensors, metadata, async (list, pairs) => {
    const layout = layoutSafetensors(list, pairs);
    const bytes = new Uint8Array(layout.byteLength);
    bytes.set(layout.header);
    const read = await openSafetensors(memorySource(bytes));
    const plain = [...read.tensors.values()].map(({ source: _, ...tensor }) => tensor);
    const byName = (a: { name: string }, b: { name: string }) => a.name < b.name ? -1 : 1;
    assertEquals(plain.toSorted(byName), layout.tensors.toSorted(byName));
    assertEquals(new Map(Object.entries(read.metadata)), new Map(Object.entries(pairs)));
    let position = layout.header.length;
    for (const { dtype, shape, start, end } of layout.tensors) {
      assertEquals([start, end - start], [position, elementCount(shape) * DTYPES[dtype].bytes]);
      assertEquals(start % DTYPES[dtype].bytes, 0);
      position = end;
    }
    assertEquals(layout.header.length % 8, 0);
    assertEquals(layoutSafetensors(list.toReversed(), pairs).header, layout.header);
  }));
});

Deno.test("names are ordered by code points, not by UTF-16 units", () => {
  const names = ["\u{1f600}", "\uffff", "a", "\u{1f601}", "ab", ""];
  const layout = layoutSafetensors(names.map((n) => ({ name: n, dtype: "U8", shape: [] })), {});
  assertEquals(
    layout.tensors.map((tensor) => tensor.name),
    ["", "a", "ab", "\uffff", "\u{1f600}", "\u{1f601}"],
  );
});

Deno.test("a file beyond 4 GiB has exact offsets", () => {
  const gibi = 2 ** 30;
  const layout = layoutSafetensors([
    { name: "a", dtype: "F16", shape: [2, gibi] },
    { name: "b", dtype: "U8", shape: [3] },
  ], {});
  const base = layout.header.length;
  assertEquals(layout.tensors.map(({ start }) => start), [base, base + 4 * gibi]);
  assertEquals(layout.byteLength, base + 4 * gibi + 3);
});

Deno.test("what no library could read is refused", async () => {
  const good = { dtype: "F32", shape: [1] } as const;
  const cases: (readonly [TensorToWrite[], string, string])[] = [
    [[{ name: "w", ...good }, { name: "w", ...good }], "w", "must differ"],
    [[{ name: "__metadata__", ...good }], "__metadata__", "must differ"],
    [[{ name: "w\ud800", ...good }], "w\ud800", "valid Unicode"],
    [[{ name: "w", dtype: "F32", shape: [-1] }], "w", "current value is [-1]"],
    [[{ name: "w", dtype: "F32", shape: [0.5] }], "w", "current value is [0.5]"],
    [[{ name: "w", dtype: "F32", shape: [2 ** 40, 2 ** 40] }], "w", "fewer than 2^53 bytes"],
  ];
  for (const [list, tensor, says] of cases) {
    const problem = await caughtProblem(() => layoutSafetensors(list, {}));
    assertEquals([problem.kind, problem.members.tensor], ["invalid-checkpoint", tensor]);
    assertStringIncludes(problem.message, says);
  }
});

Deno.test("a header longer than the libraries read is refused", async () => {
  const problem = await caughtProblem(() => layoutSafetensors([], { a: "x".repeat(100_000_000) }));
  assertEquals(problem.kind, "too-large");
});
