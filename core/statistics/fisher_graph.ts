/**
 * The graph of one term of the diagonal Fisher information: the squared gradient of the log-probability of
 * chosen classes, added to what is kept (METHODS.md 9.1).
 *
 * @module
 */
import { UPDATED } from "../engine/workspace.ts";
import { differentiate } from "../gradient/differentiate.ts";
import type { ObservedGraph } from "../gradient/observe.ts";
import { RULES } from "../gradient/rules/mod.ts";
import { trainingBuilder } from "../gradient/training_builder.ts";
import type { GraphBuilder, Value } from "../onnx/graph_builder.ts";
import { Problem } from "../problem.ts";

/** Input of the graph: 1 at the chosen class of each place, float32 `[places, classes]`. */
export const CHOSEN = "chosen";
/** Output of the graph of probabilities, float32 `[places, classes]`. */
export const PROBABILITIES = "probabilities";

/** The graph, and what it sums up. */
export interface FisherGraph {
  readonly builder: GraphBuilder;
  /** The parameters that the output depends on. */
  readonly reached: readonly Value[];
}

/** Places (one, or the tokens of a row) and classes of an output for one row. */
export interface Outcomes {
  readonly places: number;
  readonly classes: number;
}

/** Name of the kept sum of a parameter, float64. */
export function sumOf(parameter: Value): string {
  return `fisher of ${parameter}`;
}

/**
 * The outcomes of an output.
 *
 * @throws {Problem} `mismatch` if it is no distribution over classes.
 */
export function outcomesOf({ values }: ObservedGraph, output: Value): Outcomes {
  const { type, shape } = values.get(output)!;
  if (shape.length < 2 || type !== "float32") {
    throw new Problem(
      "mismatch",
      `Cannot take the Fisher information as the output ${output} must hold logits [rows, …, classes] in ` +
        `float32: current value is ${type} [${shape.join(", ")}]`,
      { output },
    );
  }
  const classes = shape.at(-1)!;
  return { classes, places: shape.slice(0, -1).reduce((product, size) => product * size, 1) };
}

/** The graph that answers the probabilities of all outcomes of a row. */
export function probabilityGraph(forward: ObservedGraph, output: Value): GraphBuilder {
  const builder = trainingBuilder(forward);
  const { places, classes } = outcomesOf(forward, output);
  builder.output(
    builder.node("Exp", [logarithms(builder, forward, output)]),
    PROBABILITIES,
    "float32",
    [places, classes],
  );
  return builder;
}

/**
 * The graph that adds `p · (∂ log p / ∂θ)²` to the kept sums, where p is the probability of the class chosen (at
 * one place), or 1 if the classes were drawn (at all places).
 *
 * @param wanted The parameters θ.
 * @param isDrawn Whether the classes were drawn from their distribution.
 * @throws {Problem} `unsupported-operator` if the gradient passes an operator without a rule; `mismatch` if the
 *   output depends on none of the parameters.
 */
export function fisherGraph(
  forward: ObservedGraph,
  output: Value,
  wanted: ReadonlySet<Value>,
  isDrawn: boolean,
): FisherGraph {
  const graph = trainingBuilder(forward);
  const { places, classes } = outcomesOf(forward, output);
  const chosen = graph.input(CHOSEN, "float32", [places, classes]);
  const spread = graph.node("Exp", [logarithms(graph, forward, output)]);
  const counts = graph.node("ReduceSum", [chosen, graph.integers([1])], { keepdims: 1 });
  const excess = graph.node("Sub", [chosen, graph.node("Mul", [counts, spread])]);
  const { shape } = forward.values.get(output)!;
  const gradients = differentiate(graph, {
    forward,
    rules: RULES,
    seeds: new Map([[output, graph.node("Reshape", [excess, graph.integers(shape)])]]),
    wanted: new Set([...wanted].filter((name) => forward.values.has(name))),
  });
  if (gradients.size === 0) {
    throw new Problem(
      "mismatch",
      `Cannot take the Fisher information as the output depends on none of the tensors: ` +
        `current value is ${output}`,
      { output },
    );
  }
  const double = (value: Value) => graph.node("Cast", [value], { to: 11 });
  const taken = graph.node("Mul", [chosen, spread]);
  const weight = isDrawn
    ? graph.scalar("float64", 1)
    : graph.node("ReduceSum", [double(taken)], { keepdims: 0 });
  for (const [name, gradient] of gradients) {
    const { shape } = forward.values.get(name)!;
    const kept = graph.input(sumOf(name), "float64", shape);
    const exact = double(gradient);
    const term = graph.node("Mul", [graph.node("Mul", [exact, exact]), weight]);
    graph.output(graph.node("Add", [kept, term]), UPDATED + sumOf(name), "float64", shape);
  }
  return { builder: graph, reached: [...gradients.keys()] };
}

function logarithms(graph: GraphBuilder, forward: ObservedGraph, output: Value): Value {
  const { places, classes } = outcomesOf(forward, output);
  const logits = graph.node("Reshape", [output, graph.integers([places, classes])]);
  return graph.node("LogSoftmax", [logits], { axis: 1 });
}
