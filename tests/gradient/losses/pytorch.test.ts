import { assert, assertEquals } from "@std/assert";
import * as v from "valibot";
import { LossSchema, parseLoss } from "../../../core/gradient/loss_options.ts";
import { type Given, runLoss } from "./run_loss.ts";

interface Case {
  name: string;
  loss: unknown;
  output: Given<"float32" | "float64">;
  target: Given;
  value: number;
  gradient: number[];
  counted: number;
  correct: number;
}

const FILE = new URL("../../../fixtures/gradient/losses.json", import.meta.url);

Deno.test("losses and their gradients are PyTorch's", async () => {
  const cases: Case[] = JSON.parse(await Deno.readTextFile(FILE));
  assertEquals(cases.length, 30);
  for (const { name, loss, output, target, value, gradient, counted, correct } of cases) {
    const single = output.type === "float32";
    const found = await runLoss(parseLoss(v.parse(LossSchema, loss)), output, target);
    assertEquals([found.counted, found.correct], [counted, correct], name);
    // Cross entropy takes its logarithm of 1 and something small, as PyTorch's does in float32.
    const tolerance = single ? 1e-6 * Math.abs(value) + 1e-7 : 1e-13 * Math.abs(value);
    assert(
      Math.abs(found.loss - value) <= tolerance,
      `${name}: the loss is ${found.loss} instead of ${value}`,
    );
    // Probabilities are exact to the last places of 1, shares of the mean to less.
    const largest = Math.max(1 / Math.max(1, counted), ...gradient.map(Math.abs));
    gradient.forEach((expected, i) => {
      const difference = Math.abs(found.gradient![i]! - expected);
      assert(
        difference <= (single ? 3e-7 : 1e-15) * largest,
        `${name}: the gradient at ${i} is ${found.gradient![i]} instead of ${expected}`,
      );
    });
  }
});

Deno.test("without the gradient a loss answers the same numbers", async () => {
  const cases: Case[] = JSON.parse(await Deno.readTextFile(FILE));
  const chosen = cases.filter(({ name }) =>
    ["smoothed, some ignored", "soft targets", "regression"].includes(name)
  );
  assertEquals(chosen.length, 3);
  for (const { loss, output, target } of chosen) {
    const spec = parseLoss(v.parse(LossSchema, loss));
    const { gradient, ...rest } = await runLoss(spec, output, target);
    assertEquals(gradient!.length, output.values.length);
    assertEquals(await runLoss(spec, output, target, false), rest);
  }
});

Deno.test("a small loss of a sure logit keeps its digits", async () => {
  const spec = { name: "binary_cross_entropy" } as const;
  for (const logit of [4, 10, 15, 20, 40]) {
    const expected = Math.log1p(Math.exp(-logit));
    const { loss, gradient } = await runLoss(
      spec,
      { type: "float32", shape: [2], values: [logit, -logit] },
      { type: "float32", shape: [2], values: [1, 0] },
    );
    assert(Math.abs(loss / expected - 1) < 1e-6, `${logit}: ${loss} instead of ${expected}`);
    const sigmoid = 1 / (1 + Math.exp(logit)) / 2;
    assert(
      Math.abs(gradient![1]! / sigmoid - 1) < 1e-6,
      `${-logit}: ${gradient![1]} instead of ${sigmoid}`,
    );
  }
});
