/**
 * The training graph: one step of tuning as one ONNX model. In go a batch, the parameters and the optimizer's
 * state, out come the loss, the new parameters and the new state.
 *
 * @module
 */
import { UPDATED } from "../engine/workspace.ts";
import type { GraphBuilder } from "../onnx/graph_builder.ts";
import type { Value } from "../onnx/model.ts";
import { Problem } from "../problem.ts";
import { differentiate } from "./differentiate.ts";
import { appendClip } from "./gradient_clip.ts";
import { doubleInput, single } from "./hyperparameter.ts";
import type { LossSpec } from "./loss_options.ts";
import { appendLoss, type LossParts } from "./losses/mod.ts";
import type { ObservedGraph, Typed } from "./observe.ts";
import type { OptimizerSpec } from "./optimizer_options.ts";
import { appendOptimizer } from "./optimizers/mod.ts";
import { appendProximal } from "./proximal.ts";
import { RULES } from "./rules/mod.ts";
import { trainingBuilder } from "./training_builder.ts";

/** Name of the input that holds the targets. */
export const TARGET = "target";

/** What a step computes. */
export interface StepSpec {
  readonly loss: LossSpec;
  readonly optimizer: OptimizerSpec;
  /** Whether the norm of the gradient is held below the input `clip_norm`. */
  readonly clip: boolean;
  /** Whether the input `proximal` pulls towards the inputs `anchor.NAME` (FedProx). */
  readonly proximal: boolean;
}

/** A forward graph with what the loss needs. */
export interface LossRequest {
  readonly forward: ObservedGraph;
  /** The value that the loss reads. */
  readonly output: Value;
  readonly loss: LossSpec;
  readonly target: Typed;
}

/** A training graph. */
export interface TrainingGraph {
  readonly builder: GraphBuilder;
  /** The parameters that it updates. */
  readonly trained: readonly Value[];
  /** Trainable parameters on which the loss does not depend; they stay as they are. */
  readonly unreached: readonly Value[];
  /** The optimizer's state, which starts at zero. */
  readonly state: readonly { readonly name: string; readonly shape: readonly number[] }[];
}

/**
 * Builds the graph that evaluates: outputs `loss` (mean over counted targets), `counted` and `correct`.
 *
 * @throws {Problem} `mismatch` if output and target do not fit the loss.
 */
export function evaluationGraph(request: LossRequest): GraphBuilder {
  const builder = trainingBuilder(request.forward);
  declareLoss(builder, request, false);
  return builder;
}

/**
 * Builds the training graph. Its outputs are `loss`, `counted`, `correct`, with clipping `gradient_norm`, and
 * for every trained parameter and every state NAME the new value `updated.NAME`.
 *
 * @param trainable The parameters to train.
 * @throws {Problem} `unsupported-operator` if the gradient of a trainable parameter passes an operator without
 *   a rule; `mismatch` if output and target do not fit the loss, or the loss depends on no trainable parameter.
 */
export function trainingGraph(
  request: LossRequest,
  trainable: ReadonlySet<Value>,
  { optimizer, clip, proximal }: StepSpec,
): TrainingGraph {
  const { forward, output } = request;
  const builder = trainingBuilder(forward);
  const { gradient } = declareLoss(builder, request, true);
  const gradients = differentiate(builder, {
    forward,
    rules: RULES,
    seeds: new Map(gradient === undefined ? [] : [[output, gradient]]),
    wanted: new Set([...trainable].filter((name) => forward.values.has(name))),
  });
  if (gradients.size === 0) {
    throw new Problem(
      "mismatch",
      `Cannot tune as the loss of ${output} depends on no trainable tensor: ` +
        `current value is ${[...trainable].slice(0, 5).join(", ")}`,
    );
  }
  const shapeOf = (name: Value) => forward.values.get(name)!.shape;
  let steps = [...gradients].map(([name, value]) => ({ name, value, shape: shapeOf(name) }));
  if (proximal) {
    steps = steps.map(({ name, value, shape }) => ({
      name,
      shape,
      value: appendProximal(builder, { name, value: name, gradient: value, shape }),
    }));
  }
  // The proximal term is part of the loss, so it counts into the norm.
  if (clip) {
    const maximum = single(builder, doubleInput(builder, "clip_norm"));
    const { clipped, norm } = appendClip(
      builder,
      new Map(steps.map(({ name, value, shape }) => [name, { value, shape }])),
      maximum,
    );
    steps = steps.map((step) => ({ ...step, value: clipped.get(step.name)! }));
    builder.output(norm, "gradient_norm", "float32", []);
  }
  const { updated, state } = appendOptimizer(
    builder,
    optimizer,
    steps.map(({ name, value, shape }) => ({
      name,
      value: name,
      gradient: value,
      shape,
      type: "float32",
    })),
  );
  for (const [name, value] of updated) {
    builder.output(value, UPDATED + name, "float32", shapeOf(name));
  }
  for (const { name, shape, updated: value } of state) {
    builder.output(value, UPDATED + name, "float32", shape);
  }
  return {
    builder,
    trained: [...gradients.keys()],
    unreached: [...trainable].filter((name) => !gradients.has(name)),
    state,
  };
}

function declareLoss(
  builder: GraphBuilder,
  { forward, output, loss, target }: LossRequest,
  withGradient: boolean,
): LossParts {
  const typed = forward.values.get(output)!;
  if (typed.type !== "float32" && typed.type !== "float64") {
    throw new Problem(
      "mismatch",
      `Cannot take the loss as the output ${output} must be floating-point: current value is ${typed.type}`,
      { output },
    );
  }
  const parts = appendLoss(
    builder,
    loss,
    { value: output, shape: typed.shape, type: typed.type },
    { ...target, value: builder.input(TARGET, target.type, target.shape) },
    withGradient,
  );
  for (const name of ["loss", "counted", "correct"] as const) {
    builder.output(parts[name], name, typed.type, []);
  }
  return parts;
}
