import { assertEquals } from "@std/assert";
import { type Checked, type CheckedInput, checkGradient, gradientsOf } from "../gradient_check.ts";
import { checkDrawn, countOf } from "./drawn_cases.ts";
import { awayFrom, broadcast } from "./moved_inputs.ts";

Deno.test("Where: condition and branches are broadcast", async () => {
  await checkDrawn(51, 8, (draw) => {
    const [condition, x, y] = broadcast(draw, 3);
    const values = Array.from({ length: countOf(condition!) }, () => draw.whole(0, 1));
    return {
      operator: "Where",
      inputs: [
        { type: "bool", shape: condition!, values, constant: draw.one(true, false) },
        draw.input(x!),
        draw.input(y!),
      ],
    };
  });
});

Deno.test("Where: only the branch that is wanted, and nothing from the other", async () => {
  const condition: CheckedInput = { type: "bool", shape: [3], values: [1, 0, 1] };
  const hole = { shape: [3], values: [NaN, 1, Infinity], constant: true };
  const found = await gradientsOf({
    operator: "Where",
    inputs: [condition, hole, { shape: [1], values: [2] }],
  }, [[3, 5, 7]]);
  assertEquals(found, [undefined, undefined, [5]]);
});

Deno.test("Clip: fixed bounds, both, one or none", async () => {
  await checkDrawn(52, 10, (draw) => {
    const bound = (value: number): CheckedInput | undefined =>
      draw.one(undefined, {
        type: "float64",
        shape: draw.one([], [1]),
        values: [value],
        constant: true,
      });
    const [least, most] = [draw.one(0, -0.4, -1e30), draw.one(0.5, 0.3, 1e30)];
    return {
      operator: "Clip",
      inputs: [
        awayFrom([0, -0.4, 0.5, 0.3], draw.input(draw.shape(0, 3, 3))),
        bound(least),
        bound(most),
      ],
    };
  });
});

Deno.test("Clip: bounds that have gradients or are fed", async () => {
  await checkDrawn(53, 8, (draw) => {
    const bound = (value: number): CheckedInput => ({
      type: "float64",
      shape: draw.one([], [1]),
      values: [value],
      constant: draw.one(true, false, false),
    });
    const inputs = [
      awayFrom([-0.4, 0.5], draw.input(draw.shape(0, 3, 3))),
      draw.one(undefined, bound(-0.4), bound(-0.4)),
      draw.one(undefined, bound(0.5), bound(0.5)),
    ];
    const all = inputs.flatMap((input, i) => input && !input.constant ? [i] : []);
    return { operator: "Clip", inputs, wanted: draw.one(all, [0]) };
  });
});

Deno.test("Clip: where the least bound is above the largest, all goes to the largest", async () => {
  const crossed: Checked = {
    operator: "Clip",
    inputs: [
      { type: "float64", shape: [3], values: [-5, 1.5, 5] },
      { type: "float64", shape: [], values: [2] },
      { type: "float64", shape: [], values: [1] },
    ],
  };
  await checkGradient(crossed);
  const fixed = crossed.inputs.map((input, i) => ({ ...input!, constant: i > 0 }));
  assertEquals(
    await gradientsOf({ ...crossed, inputs: fixed }, [[1, 1, 1]]),
    [[0, 0, 0], undefined, undefined],
  );
});

// PyTorch 2.15: torch.clamp with numbers, and with tensors, on [-1, 1, -2, 2, 0].
Deno.test("Clip: at the bounds as PyTorch has it", async () => {
  const x = { shape: [5], values: [-1, 1, -2, 2, 0] };
  const bound = (value: number, constant = true) => ({ shape: [], values: [value], constant });
  const of = (inputs: Checked["inputs"]) =>
    gradientsOf({ operator: "Clip", inputs }, [[2, 2, 2, 2, 2]]);
  assertEquals((await of([x, bound(-1), bound(1)]))[0], [0, 0, 0, 0, 2]);
  assertEquals((await of([x, bound(-1)]))[0], [0, 2, 0, 2, 2]);
  assertEquals((await of([x, undefined, bound(1)]))[0], [2, 0, 2, 0, 2]);
  assertEquals((await of([x, bound(-1e30), bound(1)]))[0], [2, 0, 2, 0, 2]);
  assertEquals((await of([x, bound(-Infinity), bound(1)]))[0], [2, 0, 2, 0, 2]);
  assertEquals(await of([x, bound(-1, false), bound(1, false)]), [[1, 1, 0, 0, 2], [3], [3]]);
  assertEquals(await of([x, bound(-1, false), bound(1)]), [[1, 0, 0, 0, 2], [3], undefined]);
});
