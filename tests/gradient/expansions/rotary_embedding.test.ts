import { assertThrows } from "@std/assert";
import { tensorOf } from "../../../core/onnx/element_type.ts";
import { drawn } from "../../onnx/normalize/same_results.ts";
import { checkGradients, checkWrittenOut, modelOf, observed, writtenWith } from "./written_out.ts";

const [BATCH, HEADS, LENGTH, SIZE] = [2, 3, 4, 8];
const positions = tensorOf("int64", [BATCH, LENGTH], [0, 1, 2, 3, 4, 2, 0, 5]);
const fourAxes = drawn([BATCH, HEADS, LENGTH, SIZE]);
const threeAxes = drawn([BATCH, LENGTH, HEADS * SIZE]);

for (const [name, x] of [["four axes", fourAxes], ["three axes", threeAxes]] as const) {
  for (const interleaved of [0, 1]) {
    for (const rotated of [0, 4]) {
      for (const cached of [true, false]) {
        const half = (rotated || SIZE) / 2;
        const shape = cached ? [6, half] : [BATCH, LENGTH, half];
        const shown = `${name}, interleaved ${interleaved}, rotated ${rotated}, cached ${cached}`;
        Deno.test(`rotary embedding: ${shown}`, async () => {
          await checkWrittenOut({
            operator: "RotaryEmbedding",
            inputs: [x, drawn(shape, 1), drawn(shape, 2), ...(cached ? [positions] : [])],
            attributes: {
              interleaved,
              rotary_embedding_dim: rotated,
              ...(name === "three axes" || rotated ? { num_heads: HEADS } : {}),
            },
          });
        });
      }
    }
  }
}

Deno.test("rotary embedding: refuses heads that do not divide the axis", async () => {
  const { model } = modelOf({
    operator: "RotaryEmbedding",
    inputs: [threeAxes, drawn([BATCH, LENGTH, 4], 1), drawn([BATCH, LENGTH, 4], 2)],
    attributes: { num_heads: 3 },
  });
  const [node] = model.graph.nodes;
  const five = { ...node!, attributes: { num_heads: 5 } };
  const forward = await observed(model);
  const written = () => writtenWith(five, model, forward);
  assertThrows(written, Error, "num_heads must divide the last axis of [2, 4, 24]: 5");
});

for (const interleaved of [0, 1]) {
  Deno.test(`rotary embedding: gradients, interleaved ${interleaved}`, async () => {
    await checkGradients({
      operator: "RotaryEmbedding",
      inputs: [drawn([1, 2, 2, 6]), drawn([1, 2, 2], 1), drawn([1, 2, 2], 2)],
      attributes: { interleaved, rotary_embedding_dim: 4, num_heads: 2 },
    });
  });
}
