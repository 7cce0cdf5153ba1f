import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import fc from "fast-check";
import type { LossSpec } from "../../../core/gradient/loss_options.ts";
import type { ElementType } from "../../../core/onnx/model.ts";
import { type Found, type Given, runLoss } from "./run_loss.ts";

const RUNS = { seed: 5, numRuns: 8 };
const IGNORED = -100;

/** A cross entropy with its output (float64) and target. */
const crossEntropies = fc.record({
  leading: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 2 }),
  classes: fc.integer({ min: 1, max: 6 }),
  labelSmoothing: fc.constantFrom(0, 0.1, 0.7),
}).chain(({ leading, classes, labelSmoothing }) => {
  const rows = leading.reduce((a, b) => a * b, 1);
  const label = fc.oneof(
    { weight: 4, arbitrary: fc.integer({ min: 0, max: classes - 1 }) },
    { weight: 1, arbitrary: fc.constant(IGNORED) },
  );
  return fc.record({
    spec: fc.constant<LossSpec>({ name: "cross_entropy", ignoreIndex: IGNORED, labelSmoothing }),
    output: numbers(rows * classes, -5, 5).map((values) => ({
      type: "float64" as const,
      shape: [...leading, classes],
      values,
    })),
    target: fc.array(label, { minLength: rows, maxLength: rows }).map((values) => ({
      type: "int64" as const,
      shape: leading,
      values,
    })),
  });
});

/** A loss whose target has the output's shape. */
const elementwise = fc.record({
  name: fc.constantFrom("binary_cross_entropy" as const, "mse" as const),
  shape: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 3 }),
}).chain(({ name, shape }) => {
  const count = shape.reduce((a, b) => a * b, 1);
  const of = (values: number[]) => ({ type: "float64" as const, shape, values });
  return fc.record({
    spec: fc.constant<LossSpec>({ name }),
    output: numbers(count, -5, 5).map(of),
    target: numbers(count, 0, 1).map(of),
  });
});

function numbers(count: number, min: number, max: number) {
  return fc.array(fc.integer({ min: min * 1000, max: max * 1000 }), {
    minLength: count,
    maxLength: count,
  }).map((values) => values.map((value) => value / 1000));
}

/** The loss by its definition, straight from the numbers. */
function defined(spec: LossSpec, output: readonly number[], target: readonly number[]): number {
  const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / Math.max(1, values.length);
  if (spec.name === "mse") return mean(output.map((y, i) => (y - target[i]!) ** 2));
  if (spec.name === "binary_cross_entropy") {
    return mean(output.map((x, i) => {
      const p = 1 / (1 + Math.exp(-x));
      return -target[i]! * Math.log(p) - (1 - target[i]!) * Math.log(1 - p);
    }));
  }
  const classes = output.length / target.length;
  return mean(target.flatMap((label, row) => {
    if (label === spec.ignoreIndex) return [];
    const logits = output.slice(row * classes, (row + 1) * classes);
    const all = logits.reduce((sum, x) => sum + Math.exp(x), 0);
    const share = spec.labelSmoothing / classes;
    return [
      -logits.reduce(
        (sum, x, c) =>
          sum + (share + (c === label ? 1 - spec.labelSmoothing : 0)) * Math.log(Math.exp(x) / all),
        0,
      ),
    ];
  }));
}

type Numeric<T extends ElementType> = Omit<Given<T>, "values"> & { values: number[] };

interface Drawn {
  spec: LossSpec;
  output: Numeric<"float64">;
  target: Numeric<"float64" | "int64">;
}

async function followsDefinition({ spec, output, target }: Drawn): Promise<Found> {
  const found = await runLoss(spec, output, target);
  assertAlmostEquals(found.loss, defined(spec, output.values, target.values), 1e-12);
  const step = 1e-5;
  output.values.forEach((centre, i) => {
    const at = (value: number) => defined(spec, output.values.with(i, value), target.values);
    const expected = (at(centre + step) - at(centre - step)) / (2 * step);
    assertAlmostEquals(found.gradient![i]!, expected, 1e-8, `at ${i}`);
  });
  return found;
}

Deno.test("cross entropy is its definition, its gradient the central difference", async () => {
  await fc.assert(
    fc.asyncProperty(crossEntropies, async (drawn) => {
      const { gradient, counted } = await followsDefinition(drawn);
      const { target, output } = drawn;
      assertEquals(counted, target.values.filter((label) => label !== IGNORED).length);
      // Probabilities and wanted shares both sum to 1, so their difference sums to 0.
      const classes = output.shape.at(-1)!;
      target.values.forEach((label, row) => {
        const own = gradient!.slice(row * classes, (row + 1) * classes);
        assertAlmostEquals(own.reduce((a, b) => a + b, 0), 0, 1e-14);
        if (label === IGNORED) assert(own.every((value) => value === 0));
      });
    }),
    RUNS,
  );
});

Deno.test("elementwise losses are their definitions, the gradients central differences", async () => {
  await fc.assert(
    fc.asyncProperty(elementwise, async (drawn) => {
      const { counted, correct } = await followsDefinition(drawn);
      assertEquals(counted, drawn.output.values.length);
      if (drawn.spec.name === "mse") assertEquals(correct, 0);
    }),
    RUNS,
  );
});

Deno.test("equal logits cost the logarithm of the number of classes", async () => {
  for (const labelSmoothing of [0, 0.4]) {
    for (const logit of [-1e4, 0, 1e4]) {
      const { loss } = await runLoss(
        { name: "cross_entropy", ignoreIndex: IGNORED, labelSmoothing },
        { type: "float32", shape: [2, 7], values: Array(14).fill(logit) },
        { type: "int64", shape: [2], values: [0, 6] },
      );
      assertAlmostEquals(loss, Math.log(7), 3e-7);
    }
  }
});

Deno.test("the mean over many equal targets is the loss of one", async () => {
  const rows = 1 << 16;
  const spec = (labelSmoothing: number): LossSpec => ({
    name: "cross_entropy",
    ignoreIndex: IGNORED,
    labelSmoothing,
  });
  const many = await runLoss(
    spec(0),
    { type: "float32", shape: [rows, 2], values: Array(2 * rows).fill(0.3) },
    { type: "int64", shape: [rows], values: Array(rows).fill(1) },
  );
  assertEquals(many.counted, rows);
  assert(Math.abs(many.loss / Math.LN2 - 1) < 3e-6, `cross entropy: ${many.loss}`);

  const squares = await runLoss(
    { name: "mse" },
    { type: "float32", shape: [16, rows / 16], values: Array(rows).fill(0.4) },
    { type: "float32", shape: [16, rows / 16], values: Array(rows).fill(0.1) },
  );
  assert(Math.abs(squares.loss / 0.09 - 1) < 3e-6, `mse: ${squares.loss}`);

  // A prime number of classes, which blocks do not divide.
  const classes = 20_011;
  const wide = await runLoss(
    spec(0.9),
    { type: "float32", shape: [1, classes], values: Array(classes).fill(-1) },
    { type: "int64", shape: [1], values: [5] },
  );
  assert(Math.abs(wide.loss / Math.log(classes) - 1) < 3e-6, `smoothed: ${wide.loss}`);
});

Deno.test("a logit above 0 is right from a target of one half on", async () => {
  const cases = [[0.1, 0.5, 1], [0.1, 0.499, 0], [0, 0.5, 0], [0, 0, 1], [-2, 0.499, 1]] as const;
  const shape = [cases.length];
  for (const type of ["float32", "float64"] as const) {
    const { correct } = await runLoss(
      { name: "binary_cross_entropy" },
      { type, shape, values: cases.map(([logit]) => logit) },
      { type, shape, values: cases.map(([, target]) => target) },
    );
    assertEquals(correct, 3);
  }
  for (const [logit, target, right] of cases) {
    const { correct } = await runLoss(
      { name: "binary_cross_entropy" },
      { type: "float32", shape: [1], values: [logit] },
      { type: "float32", shape: [1], values: [target] },
      false,
    );
    assertEquals(correct, right, `${logit} of ${target}`);
  }
});
