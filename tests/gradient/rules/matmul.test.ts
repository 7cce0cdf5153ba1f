import fc from "fast-check";
import { type CheckedInput, checkGradient } from "../gradient_check.ts";
import { numbers } from "../../support/small_model.ts";

const RUNS = { seed: 3, numRuns: 12 };

function input(shape: number[], seed: number): CheckedInput {
  const count = shape.reduce((product, size) => product * size, 1);
  return { type: "float64", shape, values: numbers(count, seed) };
}

const size = fc.integer({ min: 1, max: 3 });

Deno.test("MatMul: stacks that broadcast, one matrix for a stack, vectors on both sides", async () => {
  await fc.assert(
    fc.asyncProperty(size, size, size, size, size, fc.nat(7), async (m, k, n, s, t, form) => {
      const shapes: [number[], number[]][] = [
        [[m, k], [k, n]],
        [[s, m, k], [k, n]],
        [[s, t, m, k], [k, n]],
        [[s, m, k], [s, k, n]],
        [[s, 1, m, k], [t, k, n]],
        [[k], [s, k, n]],
        [[s, m, k], [k]],
        [[k], [k]],
      ];
      const [a, b] = shapes[form]!;
      await checkGradient({ operator: "MatMul", inputs: [input(a, 1), input(b, 2)] });
    }),
    RUNS,
  );
});

Deno.test("Gemm: both transposes, factors, and every shape of C", async () => {
  await fc.assert(
    fc.asyncProperty(
      size,
      size,
      size,
      fc.nat(1),
      fc.nat(1),
      fc.nat(5),
      async (m, k, n, ta, tb, c) => {
        const third = [undefined, [], [n], [1, n], [m, 1], [m, n]][c];
        await checkGradient({
          operator: "Gemm",
          attributes: { transA: ta, transB: tb, alpha: { float: 0.5 }, beta: { float: -2 } },
          inputs: [
            input(ta ? [k, m] : [m, k], 1),
            input(tb ? [n, k] : [k, n], 2),
            ...third ? [input(third, 3)] : [],
          ],
        });
      },
    ),
    RUNS,
  );
});
