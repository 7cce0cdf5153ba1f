/**
 * Runs a loss alone, on given outputs and targets.
 *
 * @module
 */
import { appendLoss } from "../../../core/gradient/losses/mod.ts";
import type { LossSpec } from "../../../core/gradient/loss_options.ts";
import { tensorOf } from "../../../core/onnx/element_type.ts";
import type { ElementType } from "../../../core/onnx/model.ts";
import { runGraph } from "../run_graph.ts";

/** A tensor of numbers; infinities may be text. */
export interface Given<T extends ElementType = ElementType> {
  type: T;
  shape: readonly number[];
  values: readonly (number | string)[];
}

/** What a loss answered; without `gradient` if it was not asked for. */
export interface Found {
  loss: number;
  counted: number;
  correct: number;
  gradient?: number[];
}

/** Runs the loss and looks at the shapes of what it answers. */
export async function runLoss(
  spec: LossSpec,
  output: Given<"float32" | "float64">,
  target: Given,
  withGradient = true,
): Promise<Found> {
  const answer = await runGraph((graph) => {
    const parts = appendLoss(
      graph,
      spec,
      { ...output, value: graph.input("output", output.type, output.shape) },
      { ...target, value: graph.input("target", target.type, target.shape) },
      withGradient,
    );
    for (const name of ["loss", "counted", "correct"] as const) {
      graph.output(parts[name], name, output.type, []);
    }
    if (parts.gradient !== undefined) {
      graph.output(parts.gradient, "gradient", output.type, output.shape);
    }
  }, { output: fed(output), target: fed(target) });
  const one = (name: string) => {
    const { shape, numbers } = answer[name]!;
    if (shape.length !== 0) throw new Error(`${name} has the shape [${shape}]`);
    return numbers[0]!;
  };
  const gradient = answer.gradient;
  if (gradient && gradient.shape.join() !== output.shape.join()) {
    throw new Error(`The gradient has the shape [${gradient.shape}]`);
  }
  return {
    loss: one("loss"),
    counted: one("counted"),
    correct: one("correct"),
    ...(gradient ? { gradient: gradient.numbers } : {}),
  };
}

function fed({ type, shape, values }: Given) {
  return tensorOf(type, shape, values.map(Number));
}
