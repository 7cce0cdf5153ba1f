import { assertEquals } from "@std/assert";
import { numbersOf, tensorOf } from "../../../core/onnx/element_type.ts";
import type { OnnxTensor } from "../../../core/onnx/model.ts";
import { normalizeModel } from "../../../core/onnx/normalize/mod.ts";
import { checkClose, drawn, model, node, operators, results } from "./same_results.ts";

/** The tensor with its axes in another order. */
function turned(tensor: OnnxTensor, order: readonly number[]): OnnxTensor {
  const shape = order.map((axis) => tensor.shape[axis]!);
  const strides = tensor.shape.map((_, i) => tensor.shape.slice(i + 1).reduce((a, b) => a * b, 1));
  const from = numbersOf(tensor);
  const values = from.map((_, flat) => {
    let rest = flat;
    let at = 0;
    for (let i = shape.length - 1; i >= 0; i--) {
      at += (rest % shape[i]!) * strides[order[i]!]!;
      rest = Math.floor(rest / shape[i]!);
    }
    return from[at]!;
  });
  return tensorOf(tensor.type, shape, values);
}

for (const [operator, gates] of Object.entries({ LSTM: 4, GRU: 3, RNN: 1 })) {
  Deno.test(`recurrent: ${operator} with the batch first`, async () => {
    const names = ["x", "w", "r", "b", "", "h", ...(operator === "LSTM" ? ["c"] : [])];
    const outputs = ["y", "y_h", ...(operator === "LSTM" ? ["y_c"] : [])];
    const feeds: Record<string, OnnxTensor> = {
      x: drawn([5, 2, 3]),
      w: drawn([2, gates * 4, 3], 1),
      r: drawn([2, gates * 4, 4], 2),
      b: drawn([2, gates * 8], 3),
      h: drawn([2, 2, 4], 4),
      ...(operator === "LSTM" ? { c: drawn([2, 2, 4], 5) } : {}),
    };
    const attributes = { hidden_size: 4, direction: "bidirectional" };
    const timeFirst = model(14, feeds, [node(operator, names, outputs, attributes)], outputs);
    const expected = await results(timeFirst, feeds);

    const batched = { ...feeds };
    for (const name of ["x", "h", "c"]) {
      if (feeds[name]) batched[name] = turned(feeds[name], [1, 0, 2]);
    }
    const batchFirst = node(operator, names, outputs, { ...attributes, layout: 1 });
    const normal = normalizeModel(model(14, batched, [batchFirst], outputs));
    assertEquals(operators(normal).filter((name) => name !== "Transpose"), [operator]);
    const found = await results(normal, batched);
    checkClose(found["y"], turned(expected["y"]!, [2, 0, 1, 3]), 0, "y");
    for (const name of outputs.slice(1)) {
      checkClose(found[name], turned(expected[name]!, [1, 0, 2]), 0, name);
    }
  });
}
