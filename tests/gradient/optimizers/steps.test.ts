import { assertEquals } from "@std/assert";
import fc from "fast-check";
import type { OptimizerSpec } from "../../../core/gradient/optimizer_options.ts";
import { appendOptimizer, hyperparameters } from "../../../core/gradient/optimizers/mod.ts";
import { tensorOf } from "../../../core/onnx/element_type.ts";
import { createGraph, type GraphBuilder } from "../../../core/onnx/graph_builder.ts";
import { runGraph } from "../run_graph.ts";

const SGD = { name: "sgd", momentum: 0, nesterov: false, weightDecay: 0 } as const;
const ADAM = { betas: [0.9, 0.999], epsilon: 1e-8, weightDecay: 0 } as const;

function appended(graph: GraphBuilder, spec: OptimizerSpec, names: readonly string[], size = 3) {
  return appendOptimizer(
    graph,
    spec,
    names.map((name) => ({
      name,
      value: graph.input(name, "float32", [size]),
      gradient: graph.input(`gradient.${name}`, "float32", [size]),
      shape: [size],
      type: "float32",
    })),
  );
}

Deno.test("plain sgd takes the learning rate times the gradient off, to the last bit", async () => {
  const size = 64;
  const float = fc.float({ noNaN: true, min: -1000, max: 1000 });
  const list = fc.array(float, { minLength: size, maxLength: size });
  await fc.assert(
    fc.asyncProperty(
      list,
      list,
      fc.double({ min: 1e-6, max: 10, noNaN: true }),
      async (values, gradients, rate) => {
        const { updated } = await runGraph((graph) => {
          const parts = appended(graph, SGD, ["w"], size);
          graph.output(parts.updated.get("w")!, "updated", "float32", [size]);
        }, {
          "w": tensorOf("float32", [size], values),
          "gradient.w": tensorOf("float32", [size], gradients),
          "learning_rate": tensorOf("float64", [], [rate]),
        });
        const expected = values.map((value, i) =>
          Math.fround(value - Math.fround(Math.fround(rate) * gradients[i]!))
        );
        // Compared as text, as 0 and -0 are the same weight.
        assertEquals(updated!.numbers.map(String), expected.map(String));
      },
    ),
    { seed: 3, numRuns: 6 },
  );
});

/** Nodes that a further parameter adds. */
function nodesPerParameter(spec: OptimizerSpec): string[] {
  const operators = (names: string[]) => {
    const graph = createGraph("test");
    appended(graph, spec, names);
    return graph.model().graph.nodes.map(({ operator }) => operator);
  };
  const one = operators(["a"]);
  return operators(["a", "b"]).slice(one.length);
}

Deno.test("a parameter adds only the nodes that its optimizer needs", () => {
  assertEquals(nodesPerParameter(SGD), ["Mul", "Sub"]);
  assertEquals(nodesPerParameter({ ...SGD, momentum: 0.9 }), ["Mul", "Add", "Mul", "Sub"]);
  assertEquals(nodesPerParameter({ ...SGD, weightDecay: 0.1 }), ["Mul", "Add", "Mul", "Sub"]);
  assertEquals(nodesPerParameter({ ...ADAM, name: "adam" }).length, 13);
  assertEquals(nodesPerParameter({ ...ADAM, name: "adamw", weightDecay: 0.1 }).length, 14);
});

Deno.test("the scalars that are fed are the inputs that are declared", () => {
  const momentum = { ...SGD, momentum: 0.9 };
  for (
    const [spec, expected, state] of [
      [SGD, { learning_rate: 0.5 }, []],
      [{ ...SGD, weightDecay: 0.1 }, { learning_rate: 0.5, weight_decay: 0.1 }, []],
      [momentum, { learning_rate: 0.5, momentum: 0.9 }, ["state.momentum.w"]],
      [
        { ...momentum, nesterov: true },
        { learning_rate: 0.5, momentum: 0.9 },
        ["state.momentum.w"],
      ],
      [
        { ...ADAM, name: "adam" },
        { learning_rate: 0.5, step: 7, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
        ["state.first_moment.w", "state.second_moment.w"],
      ],
      [
        { ...ADAM, name: "adamw", weightDecay: 0.01 },
        {
          learning_rate: 0.5,
          step: 7,
          beta1: 0.9,
          beta2: 0.999,
          epsilon: 1e-8,
          weight_decay: 0.01,
        },
        ["state.first_moment.w", "state.second_moment.w"],
      ],
    ] as const
  ) {
    assertEquals(hyperparameters(spec, 7, 0.5), expected);
    const graph = createGraph("test");
    const parts = appended(graph, spec, ["w"]);
    const { inputs } = graph.model().graph;
    const scalars = inputs.filter(({ shape }) => shape?.length === 0);
    assertEquals(scalars.map(({ name }) => name).toSorted(), Object.keys(expected).toSorted());
    for (const { type } of scalars) assertEquals(type, "float64");
    assertEquals(
      parts.state.map(({ name, parameter, shape }) => ({ name, parameter, shape })),
      state.map((name) => ({ name, parameter: "w", shape: [3] })),
    );
    const states = inputs.filter(({ name }) => name.startsWith("state."));
    assertEquals(states.map(({ name }) => name), [...state]);
  }
});
