import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import fc from "fast-check";
import { appendClip } from "../../core/gradient/gradient_clip.ts";
import { tensorOf } from "../../core/onnx/element_type.ts";
import { runGraph } from "./run_graph.ts";

/** Clips gradients, given flat with their shapes. */
async function clip(
  gradients: readonly { shape: readonly number[]; values: readonly number[] }[],
  maximum: number,
): Promise<{ norm: number; clipped: number[][] }> {
  const answer = await runGraph((graph) => {
    const named = gradients.map(({ shape }, i) =>
      [`g${i}`, { value: graph.input(`g${i}`, "float32", shape), shape }] as const
    );
    const limit = graph.input("clip_norm", "float32", []);
    const { clipped, norm } = appendClip(graph, new Map(named), limit);
    graph.output(norm, "norm", "float32", []);
    for (const [name, { shape }] of named) {
      graph.output(clipped.get(name)!, `clipped.${name}`, "float32", shape);
    }
  }, {
    clip_norm: tensorOf("float32", [], [maximum]),
    ...Object.fromEntries(
      gradients.map(({ shape, values }, i) => [`g${i}`, tensorOf("float32", shape, values)]),
    ),
  });
  return {
    norm: answer.norm!.numbers[0]!,
    clipped: gradients.map((_, i) => answer[`clipped.g${i}`]!.numbers),
  };
}

Deno.test("a gradient of norm 13 is clipped over all tensors", async () => {
  const gradients = [{ shape: [], values: [3] }, { shape: [1, 2], values: [4, 12] }];
  const halved = await clip(gradients, 6.5);
  assertEquals(halved.norm, 13);
  halved.clipped.flat().forEach((value, i) => assertAlmostEquals(value, [1.5, 2, 6][i]!, 1e-6));
  for (const maximum of [13.1, 1e30]) {
    assertEquals((await clip(gradients, maximum)).clipped, [[3], [4, 12]]);
  }
});

Deno.test("a gradient of zero stays zero", async () => {
  const { norm, clipped } = await clip([{ shape: [3], values: [0, 0, 0] }], 1e-3);
  assertEquals([norm, ...clipped.flat()], [0, 0, 0, 0]);
});

Deno.test("the norm afterwards is at most the bound, the direction the same", async () => {
  const tensor = fc.array(fc.float({ noNaN: true, min: -100, max: 100 }), {
    minLength: 1,
    maxLength: 20,
  }).map((values) => ({ shape: [values.length], values }));
  await fc.assert(
    fc.asyncProperty(
      fc.array(tensor, { minLength: 1, maxLength: 4 }),
      fc.double({ min: 1e-3, max: 1e3, noNaN: true }),
      async (gradients, maximum) => {
        const before = gradients.flatMap(({ values }) => values);
        const length = Math.hypot(...before);
        const { norm, clipped } = await clip(gradients, maximum);
        assertAlmostEquals(norm, length, 1e-6 * length);
        const factor = Math.min(1, maximum / (length + 1e-6));
        assert(Math.hypot(...clipped.flat()) <= maximum * (1 + 1e-6));
        clipped.flat().forEach((value, i) => {
          // Below 1e-38 float32 has fewer digits.
          assertAlmostEquals(value, before[i]! * factor, 1e-6 * Math.abs(before[i]!) + 1e-44);
        });
      },
    ),
    { seed: 2, numRuns: 8 },
  );
});

Deno.test("the norm of a million elements keeps five digits", async () => {
  const shape = [1 << 10, 1 << 10];
  const values = Array<number>(1 << 20).fill(0.1);
  const { norm } = await clip([{ shape, values }], 1);
  assert(Math.abs(norm / (Math.fround(0.1) * 1024) - 1) < 3e-6, `${norm}`);
});
