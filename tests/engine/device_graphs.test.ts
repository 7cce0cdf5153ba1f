import { assert } from "@std/assert";
import { mapGraph, partialGraph } from "../../core/engine/chunk_graph.ts";
import { METHODS } from "../../core/methods/mod.ts";
import type { Layout } from "../../core/onnx/operands.ts";

/** What ONNX Runtime Web 1.30 places on WebGPU, as it told in its log; what is not among it goes to the processor. */
const ON_DEVICE = new Set(
  ("Abs Add And Clip Concat Cos Div Equal Exp Expand Flatten Floor Gather Greater GreaterOrEqual Identity Less " +
    "LessOrEqual Log Max Min Mul Neg Not Pow Reciprocal ReduceMax ReduceMean ReduceMin ReduceSum Relu Reshape Sin Slice " +
    "Split Sqrt Sub Tanh Transpose Unsqueeze Where").split(" "),
);
/** Graphs that only work in float64, or take statistics. */
const ELSEWHERE = ["fisher/merge", "pcb/"];

const layout: Layout = {
  models: 3,
  statistics: 0,
  base: true,
  kinds: ["weights", "weights", "task_vector"],
  double: false,
  expanded: false,
};

Deno.test("graphs for a GPU have only operators that it has, and no products with one row", () => {
  let graphs = 0;
  for (const method of METHODS.values()) {
    for (const [name, build] of Object.entries(method.graphs)) {
      if (ELSEWHERE.some((start) => `${method.name}/${name}`.startsWith(start))) continue;
      const written = [mapGraph, (of: Layout) => partialGraph(of, build, 1)].map((write) => {
        try {
          return write(layout, build, "device").model().graph;
        } catch {
          // A method of two models, or a graph that asks for what the layout lacks.
          return undefined;
        }
      });
      for (const graph of written) {
        // Sums are no maps.
        if (!graph || graph.inputs.some(({ name }) => ["segments", "valid"].includes(name))) {
          continue;
        }
        graphs++;
        for (const { operator } of graph.nodes) {
          assert(ON_DEVICE.has(operator), `${method.name}/${name} has ${operator}`);
        }
      }
    }
  }
  assert(graphs > 40, `${graphs} graphs`);
});
