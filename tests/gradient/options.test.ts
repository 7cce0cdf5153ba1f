import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import * as v from "valibot";
import { LossSchema, parseLoss } from "../../core/gradient/loss_options.ts";
import { OptimizerSchema, parseOptimizer } from "../../core/gradient/optimizer_options.ts";
import type { Fault } from "../../core/problem.ts";

Deno.test("a loss is a name or a map", () => {
  const plain = { name: "cross_entropy", ignoreIndex: -100, labelSmoothing: 0 };
  for (
    const [given, expected] of [
      ["cross_entropy", plain],
      [{ name: "cross_entropy" }, plain],
      [
        { name: "cross_entropy", ignore_index: 255, label_smoothing: 0.1 },
        { name: "cross_entropy", ignoreIndex: 255, labelSmoothing: 0.1 },
      ],
      ["binary_cross_entropy", { name: "binary_cross_entropy" }],
      [{ name: "mse" }, { name: "mse" }],
    ]
  ) assertEquals(parseLoss(v.parse(LossSchema, given)) as unknown, expected);
});

Deno.test("a loss that is none, or has options that are none of its own, is refused", () => {
  for (
    const given of [
      "huber",
      1,
      {},
      { name: "huber" },
      { name: "mse", ignore_index: 0 },
      { name: "cross_entropy", smoothing: 0.1 },
      { name: "cross_entropy", label_smoothing: 1 },
      { name: "cross_entropy", label_smoothing: -0.1 },
      { name: "cross_entropy", label_smoothing: NaN },
      { name: "cross_entropy", ignore_index: 0.5 },
    ]
  ) assert(!v.safeParse(LossSchema, given).success, JSON.stringify(given));
});

function parsed(given: unknown): unknown {
  const faults: Fault[] = [];
  const spec = parseOptimizer(v.parse(OptimizerSchema, given), "local.optimizer", faults);
  assertEquals(faults, []);
  return spec;
}

Deno.test("optimizers have PyTorch's defaults", () => {
  const rate = { learning_rate: 0.1 };
  assertEquals(parsed({ name: "sgd", ...rate }), {
    name: "sgd",
    momentum: 0,
    nesterov: false,
    weightDecay: 0,
  });
  const adaptive = { betas: [0.9, 0.999], epsilon: 1e-8 };
  assertEquals(parsed({ name: "adam", ...rate }), { name: "adam", ...adaptive, weightDecay: 0 });
  assertEquals(parsed({ name: "adamw", ...rate }), {
    name: "adamw",
    ...adaptive,
    weightDecay: 0.01,
  });
  assertEquals(
    parsed({ name: "adamw", ...rate, betas: [0, 0.5], epsilon: 1, weight_decay: 0 }),
    { name: "adamw", betas: [0, 0.5], epsilon: 1, weightDecay: 0 },
  );
});

Deno.test("options out of bounds are refused", () => {
  const sgd = { name: "sgd", learning_rate: 0.1 };
  const adam = { name: "adam", learning_rate: 0.1 };
  for (
    const [given, path] of [
      [{ name: "lion", learning_rate: 0.1 }, "name"],
      [{ name: "sgd" }, "learning_rate"],
      [{ ...sgd, learning_rate: 0 }, "learning_rate"],
      [{ ...sgd, learning_rate: Infinity }, "learning_rate"],
      [{ ...sgd, momentum: 1 }, "momentum"],
      [{ ...sgd, momentum: -0.1 }, "momentum"],
      [{ ...sgd, weight_decay: -1 }, "weight_decay"],
      [{ ...sgd, betas: [0.9, 0.999] }, "betas"],
      [{ ...sgd, nesterov: 1 }, "nesterov"],
      [{ ...adam, momentum: 0.9 }, "momentum"],
      [{ ...adam, betas: [0.9, 1] }, "betas.1"],
      [{ ...adam, betas: [0.9, 0.9, 0.9] }, "betas.2"],
      [{ ...adam, epsilon: 0 }, "epsilon"],
      // Zero in float32, and so NaN for a gradient of zero.
      [{ ...adam, epsilon: 1e-46 }, "epsilon"],
    ] as const
  ) {
    const { issues } = v.safeParse(OptimizerSchema, given);
    assertEquals(issues?.map((issue) => v.getDotPath(issue)), [path], JSON.stringify(given));
  }
});

Deno.test("nesterov without momentum is a fault with its path", () => {
  const faults: Fault[] = [];
  const form = v.parse(OptimizerSchema, { name: "sgd", learning_rate: 1, nesterov: true });
  parseOptimizer(form, "local.optimizer", faults);
  assertEquals(faults.map(({ path }) => path), ["local.optimizer.nesterov"]);
  assertStringIncludes(faults[0]!.message, "momentum is 0: current value is true");
});
