import { assertEquals } from "@std/assert";
import { gradientsOf } from "../gradient_check.ts";
import { checkDrawn } from "./drawn_cases.ts";

Deno.test("GroupNormalization: any number of groups and positions", async () => {
  await checkDrawn(1, 8, (draw) => {
    const [groups, members] = [draw.whole(1, 3), draw.whole(1, 3)];
    const channels = groups * members;
    const shape = [draw.whole(1, 2), channels, ...draw.shape(0, 2, 3), 2];
    return {
      operator: "GroupNormalization",
      attributes: { num_groups: groups, epsilon: { float: 0.1 } },
      inputs: [shape, [channels], [channels]].map((each) => draw.input(each, "float32")),
      wanted: draw.one([0, 1, 2], [0], [1, 2]),
      tolerance: 5e-3,
    };
  });
});

Deno.test("InstanceNormalization: any rank", async () => {
  await checkDrawn(2, 8, (draw) => {
    const channels = draw.whole(1, 4);
    const shape = [draw.whole(1, 3), channels, ...draw.shape(0, 1, 4), 3];
    return {
      operator: "InstanceNormalization",
      attributes: { epsilon: { float: 0.1 } },
      inputs: [shape, [channels], [channels]].map((each) => draw.input(each, "float32")),
      wanted: draw.one([0, 1, 2], [1], [2]),
      tolerance: 5e-3,
    };
  });
});

Deno.test("LpNormalization: both norms, every axis", async () => {
  await checkDrawn(3, 8, (draw) => {
    const shape = draw.shape(1, 3, 5);
    const input = draw.input(shape);
    // Away from zero, where the norms have an edge.
    const values = input.values.map((value) => value + Math.sign(value) / 4);
    return {
      operator: "LpNormalization",
      attributes: { p: draw.one(1, 2), axis: draw.whole(-shape.length, shape.length - 1) },
      inputs: [{ ...input, values }],
    };
  });
});

Deno.test("LpNormalization: no gradient where the norm is zero", async () => {
  for (const p of [1, 2]) {
    const [gradient] = await gradientsOf({
      operator: "LpNormalization",
      attributes: { p },
      inputs: [{ shape: [2, 2], values: [0, 0, 3, 0] }],
    }, [[1, 2, 0, 6]]);
    assertEquals(gradient, [0, 0, 0, 2]);
  }
});
