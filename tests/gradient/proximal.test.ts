import { assertEquals } from "@std/assert";
import { appendProximal } from "../../core/gradient/proximal.ts";
import { tensorOf } from "../../core/onnx/element_type.ts";
import { runGraph } from "./run_graph.ts";

async function pulled(proximal: number): Promise<number[]> {
  const shape = [2, 2];
  const { gradient } = await runGraph((graph) => {
    const parameter = {
      name: "w",
      value: graph.input("w", "float32", shape),
      gradient: graph.input("gradient.w", "float32", shape),
      shape,
    };
    graph.output(appendProximal(graph, parameter), "gradient", "float32", shape);
  }, {
    "w": tensorOf("float32", shape, [1, -2, 3, 0.5]),
    "anchor.w": tensorOf("float32", shape, [1, 2, -1, 0]),
    "gradient.w": tensorOf("float32", shape, [0.25, 1, -2, 0]),
    "proximal": tensorOf("float64", [], [proximal]),
  });
  assertEquals(gradient!.shape, shape);
  return gradient!.numbers;
}

Deno.test("the proximal term adds its factor times the way from the anchor", async () => {
  // Numbers that float32 holds, so that the sums are exact.
  assertEquals(await pulled(0.5), [0.25, -1, 0, 0.25]);
  assertEquals(await pulled(0), [0.25, 1, -2, 0]);
});
