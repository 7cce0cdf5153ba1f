/**
 * Builds a graph, runs it once, and answers its outputs as numbers.
 *
 * @module
 */
import { onnxWorkspace } from "../../core/engine/onnx_workspace.ts";
import type { Tensors } from "../../core/engine/workspace.ts";
import { numbersOf } from "../../core/onnx/element_type.ts";
import { createGraph, type GraphBuilder } from "../../core/onnx/graph_builder.ts";
import type { OnnxTensor } from "../../core/onnx/model.ts";

/** What a graph answered. */
export type Answer = Readonly<Record<string, { shape: readonly number[]; numbers: number[] }>>;

/** Runs the graph that `build` makes. */
export async function runGraph(
  build: (graph: GraphBuilder) => void,
  feeds: Readonly<Record<string, OnnxTensor>> = {},
): Promise<Answer> {
  const [answer] = await runSteps(build, 1, () => feeds);
  return answer!;
}

/**
 * Runs the graph that `build` makes several times.
 *
 * @param feedsOf Answers the inputs of a step from the outputs of the one before.
 */
export async function runSteps(
  build: (graph: GraphBuilder) => void,
  steps: number,
  feedsOf: (step: number, before: Tensors | undefined) => Readonly<Record<string, OnnxTensor>>,
): Promise<Answer[]> {
  const graph = createGraph("test");
  build(graph);
  const workspace = onnxWorkspace();
  try {
    await workspace.load("test", graph.serialize());
    const names = graph.model().graph.outputs.map(({ name }) => name);
    const answers: Answer[] = [];
    let before: Tensors | undefined;
    for (let step = 1; step <= steps; step++) {
      before = await workspace.run("test", feedsOf(step, before), names);
      answers.push(Object.fromEntries(
        names.map((name) => {
          const tensor = before![name]!;
          return [name, { shape: tensor.shape, numbers: numbersOf(tensor) }];
        }),
      ));
    }
    return answers;
  } finally {
    await workspace.close();
  }
}
