import { assertEquals } from "@std/assert";
import { numbersOf, tensorOf } from "../../../core/onnx/element_type.ts";
import { drawn, integers } from "../../onnx/normalize/same_results.ts";
import {
  checkGradients,
  checkWrittenOut,
  type Composite,
  modelOf,
  writtenOut,
} from "./written_out.ts";

const Q = drawn([2, 4, 3, 6]);
const K = drawn([2, 4, 5, 6], 1);
const V = drawn([2, 4, 5, 7], 2);
const FEW_K = drawn([2, 2, 5, 6], 1);
const FEW_V = drawn([2, 2, 5, 7], 2);
const FLAT = [drawn([2, 3, 24]), drawn([2, 5, 24], 1), drawn([2, 5, 28], 2)];
const FEW_FLAT = [drawn([2, 3, 24]), drawn([2, 5, 12], 1), drawn([2, 5, 14], 2)];
const PAST = [drawn([2, 4, 2, 6], 3), drawn([2, 4, 2, 7], 4)];
const bias = (...shape: number[]) => drawn(shape, 5);
const flags = (shape: number[], closed: (i: number) => boolean) =>
  tensorOf(
    "bool",
    shape,
    Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => closed(i) ? 0 : 1),
  );
const SOME = flags([3, 5], (i) => i % 3 === 1);
const FLAT_HEADS = { q_num_heads: 4, kv_num_heads: 4 };

const CASES: Record<string, Omit<Composite, "operator">> = {
  "four axes": { inputs: [Q, K, V] },
  "three axes": { inputs: FLAT, attributes: FLAT_HEADS },
  "shared keys": { inputs: [Q, FEW_K, FEW_V] },
  "one key head": { inputs: [Q, drawn([2, 1, 5, 6], 1), drawn([2, 1, 5, 7], 2)] },
  "shared keys, three axes": {
    inputs: FEW_FLAT,
    attributes: { q_num_heads: 4, kv_num_heads: 2 },
  },
  "scale": { inputs: [Q, K, V], attributes: { scale: { float: 0.7 } } },
  "causal": { inputs: [Q, K, V], attributes: { is_causal: 1 } },
  "causal, fewer keys": { inputs: [K, Q, Q], attributes: { is_causal: 1 } },
  "softcap": { inputs: [Q, K, V], attributes: { softcap: { float: 0.5 } } },
  "bias": { inputs: [Q, K, V, bias(3, 5)] },
  "bias of every head": { inputs: [Q, K, V, bias(2, 4, 3, 5)] },
  "bias of the batch": { inputs: [Q, K, V, bias(2, 1, 3, 5)] },
  "bias, shared keys": { inputs: [Q, FEW_K, FEW_V, bias(1, 4, 3, 5)] },
  "bias and causal": { inputs: [Q, K, V, bias(3, 5)], attributes: { is_causal: 1 } },
  "flags": { inputs: [Q, K, V, SOME] },
  "constant flags": { inputs: [Q, K, V, SOME], fixed: [3] },
  "flags and causal": { inputs: [Q, K, V, SOME], attributes: { is_causal: 1 } },
  "flags of the batch": { inputs: [Q, K, V, flags([2, 1, 3, 5], (i) => i % 4 === 2)] },
  "past": { inputs: [Q, K, V, undefined, ...PAST], outputs: [0, 1, 2] },
  "past and causal": {
    inputs: [Q, K, V, undefined, ...PAST],
    outputs: [0, 1, 2],
    attributes: { is_causal: 1 },
  },
  "past, bias and causal, three axes": {
    inputs: [...FLAT, bias(3, 7), ...PAST],
    outputs: [0, 1, 2],
    attributes: { ...FLAT_HEADS, is_causal: 1 },
  },
  "present without past": { inputs: [Q, K, V], outputs: [0, 1, 2] },
};

for (const [name, one] of Object.entries(CASES)) {
  Deno.test(`attention: ${name}`, async () => {
    await checkWrittenOut({ operator: "Attention", ...one });
  });
}

for (const mode of [0, 1, 2, 3]) {
  Deno.test(`attention: scores, mode ${mode}`, async () => {
    await checkWrittenOut({
      operator: "Attention",
      inputs: [Q, FEW_K, FEW_V, bias(3, 5)],
      outputs: [0, 3],
      attributes: { softcap: { float: 0.75 }, qk_matmul_output_mode: mode },
    });
  });
}
Deno.test("attention: a query that may look nowhere takes nothing in", async () => {
  const closed = flags([3, 5], (i) => i < 5);
  const { y0 } = await checkWrittenOut({ operator: "Attention", inputs: [Q, K, V, closed] });
  assertEquals(numbersOf(y0!).slice(0, 7), Array(7).fill(0));
  for (const low of [-Infinity, -3.4028234663852886e38, -1e30]) {
    const bias = tensorOf("float32", [3, 5], [...Array(5).fill(low), ...Array(10).fill(0.5)]);
    const inputs = [Q, K, V, bias];
    await checkWrittenOut({ operator: "Attention", inputs });
    await checkWrittenOut({ operator: "Attention", inputs, fixed: [3] });
  }
});

Deno.test("attention: padding at the end of the keys, operator set 24", async () => {
  for (const counts of [integers(3, 5), integers(1, 4), integers(2, 0)]) {
    const inputs = [Q, K, V, undefined, undefined, undefined, counts];
    const operator = "Attention";
    await checkWrittenOut({ operator, inputs, opset: 24 });
    await checkWrittenOut({ operator, inputs, attributes: { is_causal: 1 }, opset: 24 });
    await checkWrittenOut({ operator, inputs, fixed: [6], opset: 24 });
  }
});

Deno.test("attention: a mask that is constant and open adds no node to the weights", async () => {
  const open = { operator: "Attention", inputs: [Q, K, V, bias(3, 5)], fixed: [3] };
  const made = await writtenOut(modelOf(open).model);
  assertEquals(
    made.graph.nodes.map(({ operator }) => operator),
    ["Mul", "Transpose", "MatMul", "Add", "Softmax", "MatMul", "Identity"],
  );
});

const GRADIENTS: Record<string, Omit<Composite, "operator">> = {
  "shared keys, bias, causal": {
    inputs: [drawn([1, 4, 3, 2]), drawn([1, 2, 4, 2], 1), drawn([1, 2, 4, 3], 2), bias(3, 4)],
    attributes: { is_causal: 1 },
  },
  "three axes, softcap, past": {
    inputs: [
      drawn([1, 2, 4]),
      drawn([1, 3, 4], 1),
      drawn([1, 3, 6], 2),
      undefined,
      drawn([1, 2, 1, 2], 3),
      drawn([1, 2, 1, 3], 4),
    ],
    outputs: [0, 1, 2],
    attributes: { q_num_heads: 2, kv_num_heads: 2, softcap: { float: 0.75 } },
  },
  "flags that close a row": {
    inputs: [
      drawn([1, 1, 2, 3]),
      drawn([1, 1, 3, 3], 1),
      drawn([1, 1, 3, 2], 2),
      flags([2, 3], (i) => i > 2),
    ],
  },
};

for (const [name, one] of Object.entries(GRADIENTS)) {
  Deno.test(`attention: gradients, ${name}`, async () => {
    await checkGradients({ operator: "Attention", ...one });
  });
}
