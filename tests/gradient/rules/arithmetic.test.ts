import { assertAlmostEquals, assertEquals } from "@std/assert";
import { type Checked, gradientsOf } from "../gradient_check.ts";
import { checkDrawn, countOf } from "./drawn_cases.ts";
import { awayFrom, between, broadcast } from "./moved_inputs.ts";

Deno.test("Add, Sub, Mul: every broadcast is undone", async () => {
  await checkDrawn(11, 9, (draw) => ({
    operator: draw.one("Add", "Sub", "Mul"),
    inputs: broadcast(draw, 2).map((shape) => draw.input(shape)),
  }));
});

Deno.test("only the operand that is wanted gets a gradient", async () => {
  const constant = { shape: [1, 2], values: [3, 4], constant: true };
  const wanted = { shape: [2, 1], values: [5, 6] };
  const cotangents = [[1, 2, 3, 4]];
  const of = (operator: string, inputs: Checked["inputs"]) =>
    gradientsOf({ operator, inputs }, cotangents);
  assertEquals(await of("Add", [constant, wanted]), [undefined, [3, 7]]);
  assertEquals(await of("Sub", [constant, wanted]), [undefined, [-3, -7]]);
  assertEquals(await of("Mul", [wanted, constant]), [[11, 25], undefined]);
  assertEquals(await of("Max", [wanted, constant]), [[3, 7], undefined]);
  assertEquals(await of("Min", [constant, wanted]), [undefined, [0, 0]]);
  assertEquals(
    await of("Pow", [constant, { ...wanted, values: [0, 1] }])
      .then(([, found]) => found!.map((v) => Math.round(v * 1e4) / 1e4)),
    [
      3.8712, // ln 3 + 2·ln 4
      32.0682, // 3·3·ln 3 + 4·4·ln 4
    ],
  );
});

Deno.test("Div: both signs of the divisor", async () => {
  await checkDrawn(12, 6, (draw) => {
    const [a, b] = broadcast(draw, 2);
    const divisor = between(0.5, 2, draw.input(b!));
    const values = divisor.values.map((v, i) => (i % 2 === 0 ? v : -v));
    return { operator: "Div", inputs: [draw.input(a!), { ...divisor, values }] };
  });
});

Deno.test("Mod: the remainder with the dividend's sign", async () => {
  await checkDrawn(13, 6, (draw) => {
    const [a, b] = broadcast(draw, 2);
    // Quotients away from whole numbers, as the remainder jumps there.
    const dividend = draw.input(a!).values.map((v, i) => 1.3 * (((i * 5) % 7) - 3 + 0.5 + 0.4 * v));
    const divisor = Array.from({ length: countOf(b!) }, (_, i) => (i % 2 === 0 ? 1.3 : -1.3));
    return {
      operator: "Mod",
      attributes: { fmod: 1 },
      inputs: [
        { type: "float64", shape: a!, values: dividend },
        { type: "float64", shape: b!, values: divisor },
      ],
    };
  });
});

Deno.test("Neg, Abs, Sqrt, Reciprocal", async () => {
  await checkDrawn(14, 8, (draw) => {
    const operator = draw.one("Neg", "Abs", "Sqrt", "Reciprocal");
    const input = draw.input(draw.shape(0, 3, 3));
    return {
      operator,
      inputs: [operator === "Sqrt" ? between(0.1, 3, input) : awayFrom([0, 0.05, -0.05], input)],
    };
  });
  const zero = { shape: [3], values: [-2, 0, 2] };
  assertEquals(await gradientsOf({ operator: "Abs", inputs: [zero] }, [[5, 5, 5]]), [[-5, 0, 5]]);
});

Deno.test("Pow: by exponents that have gradients", async () => {
  await checkDrawn(15, 6, (draw) => {
    const [x, e] = broadcast(draw, 2);
    return {
      operator: "Pow",
      inputs: [between(0.3, 2, draw.input(x!)), between(-2, 3, draw.input(e!))],
    };
  });
});

Deno.test("Pow: by a known exponent, of any type", async () => {
  await checkDrawn(16, 12, (draw) => {
    const exponent = draw.one(0, 1, 2, 3, -1, -2, 0.5);
    const input = draw.input(draw.shape(0, 3, 3));
    const type = exponent === 0.5 ? "float64" : draw.one("float64", "int64", "int32", "float32");
    return {
      operator: "Pow",
      inputs: [
        exponent === 0.5 ? between(0.3, 2, input) : awayFrom([0], between(-2, 2, input)),
        { type, shape: draw.one([], [1], [1, 1]), values: [exponent], constant: true },
      ],
      step: 1e-6,
      // Near 0 the inverse square bends so much that the central difference itself is off.
      tolerance: 1e-4,
    };
  });
});

Deno.test("Pow: several known exponents at once, integers among them", async () => {
  await checkDrawn(17, 4, (draw) => ({
    operator: "Pow",
    inputs: [
      between(0.3, 2, draw.input([2, 1])),
      { type: draw.one("float64", "int64"), shape: [3], values: [2, 0, -1], constant: true },
    ],
  }));
});

Deno.test("Pow: a known base", async () => {
  await checkDrawn(18, 3, (draw) => ({
    operator: "Pow",
    inputs: [
      { type: "float64", shape: draw.one([], [1]), values: [1.7], constant: true },
      draw.input([2, 3]),
    ],
  }));
});

Deno.test("Pow: an exponent of another float type", async () => {
  const found = await gradientsOf({
    operator: "Pow",
    inputs: [
      { type: "float64", shape: [2], values: [2, 3] },
      { type: "float32", shape: [], values: [2] },
    ],
  }, [[1, 1]]);
  assertAlmostEquals(found[0]![0]!, 4, 1e-9);
  assertAlmostEquals(found[0]![1]!, 6, 1e-9);
  assertAlmostEquals(found[1]![0]!, 4 * Math.log(2) + 9 * Math.log(3), 1e-5);
});

// PyTorch: x ** e for tensors x = [0, 0, 0, 0] and e = [0, 1, -1, 2], and x ** 0 for x = 0.
Deno.test("Pow: at a base of 0 as PyTorch has it", async () => {
  const base = { shape: [4], values: [0, 0, 0, 0] };
  const ones = [[1, 1, 1, 1]];
  assertEquals(
    await gradientsOf(
      { operator: "Pow", inputs: [base, { shape: [4], values: [0, 1, -1, 2] }] },
      ones,
    ),
    [[0, 1, -Infinity, 0], [0, 0, -Infinity, 0]],
  );
  const zero = { shape: [], values: [0], constant: true };
  assertEquals(await gradientsOf({ operator: "Pow", inputs: [base, zero] }, ones), [
    [0, 0, 0, 0],
    undefined,
  ]);
});

Deno.test("Min, Max: of one, two and several", async () => {
  await checkDrawn(19, 9, (draw) => {
    const count = draw.one(1, 2, 2, 3, 4);
    // The parts lie apart by more than the step: each operand has a grid of its own.
    const inputs = broadcast(draw, count).map((shape, i) => {
      const input = draw.input(shape);
      return {
        ...input,
        values: input.values.map((v) => Math.round(v * 10) / 10 + (i + 1) / 50),
      };
    });
    return { operator: draw.one("Min", "Max"), inputs };
  });
});

// PyTorch: torch.maximum and torch.minimum halve the gradient at ties.
Deno.test("Min, Max: equal operands share evenly", async () => {
  const a = { shape: [3], values: [1, 2, 0] };
  const b = { shape: [3], values: [1, 1, 1] };
  const cotangents = [[4, 4, 4]];
  const of = (operator: string, inputs: Checked["inputs"]) =>
    gradientsOf({ operator, inputs }, cotangents);
  assertEquals(await of("Max", [a, b]), [[2, 4, 0], [2, 0, 4]]);
  assertEquals(await of("Min", [a, b]), [[2, 0, 4], [2, 4, 0]]);
  assertEquals(await of("Max", [a, b, b, b]), [
    [1, 4, 0],
    ...Array(3).fill([1, 0, 4 / 3].map(Math.fround)),
  ]);
  const least = { shape: [3], values: [-Infinity, -Infinity, 1] };
  const floor = { shape: [], values: [-Infinity] };
  assertEquals(await of("Max", [least, floor]), [[2, 2, 4], [4]]);
});

Deno.test("Sum, Mean: of any number", async () => {
  await checkDrawn(20, 5, (draw) => ({
    operator: "Sum",
    inputs: broadcast(draw, draw.whole(1, 4)).map((shape) => draw.input(shape)),
  }));
  await checkDrawn(21, 4, (draw) => ({
    operator: "Mean",
    inputs: broadcast(draw, draw.whole(1, 4)).map((shape) => draw.input(shape, "float32")),
  }));
});
