import { assertEquals, assertThrows } from "@std/assert";
import { tensorOf } from "../../../core/onnx/element_type.ts";
import type { Attributes } from "../../../core/onnx/model.ts";
import { normalizeModel } from "../../../core/onnx/normalize/mod.ts";
import { Problem } from "../../../core/problem.ts";
import { checkSame, drawn, integers, model, node, operators } from "./same_results.ts";

const IMAGE = drawn([1, 2, 4, 6]);
const float = (...values: number[]) => tensorOf("float32", [values.length], values);
const text = (mode: string, nearest = "floor") => ({
  mode: "nearest",
  coordinate_transformation_mode: mode,
  nearest_mode: nearest,
});

function resize(
  opset: number,
  attributes: Attributes,
  { scales, sizes }: { scales?: number[]; sizes?: number[] },
) {
  const operands = opset < 11 ? ["x", "scales"] : ["x", "roi", "scales"];
  if (sizes) operands.push("sizes");
  return model(opset, { x: IMAGE }, [node("Resize", operands, ["y"], attributes)], ["y"], {
    roi: float(),
    scales: float(...scales ?? []),
    ...(sizes ? { sizes: integers(...sizes) } : {}),
  });
}

for (const mode of ["nearest", "linear"]) {
  for (const scales of [[1, 1, 2, 1.5], [1, 1, 0.5, 0.75]]) {
    Deno.test(`resizing: Upsample and Resize 10, ${mode}, ${scales}`, async () => {
      if (scales.every((scale) => scale >= 1)) {
        const listed = { mode, scales: { floats: scales } };
        const seven = node("Upsample", ["x"], ["y"], listed);
        await checkSame(model(7, { x: IMAGE }, [seven], ["y"]), { x: IMAGE });
        const nine = node("Upsample", ["x", "s"], ["y"], { mode });
        const subject = model(9, { x: IMAGE }, [nine], ["y"], { s: float(...scales) });
        assertEquals(operators(await checkSame(subject, { x: IMAGE })), ["Resize"]);
      }
      await checkSame(resize(10, { mode }, { scales }), { x: IMAGE });
    });
  }
}

for (const opset of [11, 13, 18]) {
  for (const coordinates of ["half_pixel", "align_corners", "asymmetric", "pytorch_half_pixel"]) {
    for (const mode of ["nearest", "linear", "cubic"]) {
      Deno.test(`resizing: Resize ${opset}, ${coordinates}, ${mode}`, async () => {
        const attributes = { mode, coordinate_transformation_mode: coordinates };
        await checkSame(resize(opset, attributes, { scales: [1, 1, 1.5, 2] }), { x: IMAGE });
      });
    }
  }
}

Deno.test("resizing: sizes beside an empty tensor of scales", async () => {
  for (const sizes of [[1, 2, 7, 9], [1, 2, 3, 3]]) {
    const subject = resize(11, text("half_pixel", "round_prefer_floor"), { sizes });
    const normal = await checkSame(subject, { x: IMAGE });
    assertEquals(normal.graph.nodes[0]?.inputs, ["x", "", "", "sizes"]);
  }
});

Deno.test("resizing: coordinates of TensorFlow's nearest neighbour", async () => {
  for (const scales of [[1, 1, 2, 3], [1, 1, 1.5, 2], [1, 1, 0.5, 0.5], [1, 1, 0.75, 1.25]]) {
    await checkSame(resize(11, text("tf_half_pixel_for_nn"), { scales }), { x: IMAGE });
  }
  const other = text("tf_half_pixel_for_nn", "ceil");
  const subject = resize(11, other, { scales: [1, 1, 2, 2] });
  const problem = assertThrows(() => normalizeModel(subject), Problem, "tf_half_pixel_for_nn");
  assertEquals(problem.kind, "unsupported-operator");
});

Deno.test("resizing: enlarging and shrinking at once has no equal", () => {
  const subject = resize(10, { mode: "nearest" }, { scales: [1, 1, 2, 0.5] });
  assertThrows(() => normalizeModel(subject), Problem, "shrinks another");
});
