import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { Problem } from "../../../core/problem.ts";
import { checkGradient, gradientsOf } from "../gradient_check.ts";
import { checkDrawn, type Draw } from "./drawn_cases.ts";

function drawInputs(draw: Draw, shape: readonly number[]) {
  const channels = [shape[1]!];
  const variance = draw.input(channels);
  return [
    ...[shape, channels, channels, channels].map((each) => draw.input(each)),
    { ...variance, values: variance.values.map((value) => 1.5 + value) },
  ];
}

Deno.test("BatchNormalization: data, scale, bias and the statistics, of any rank", async () => {
  await checkDrawn(1, 6, (draw) => ({
    operator: "BatchNormalization",
    attributes: { epsilon: { float: 0.25 } },
    inputs: drawInputs(draw, draw.shape(2, 5, 3)),
  }));
});

Deno.test("BatchNormalization: each gradient alone", async () => {
  for (const wanted of [[0], [1], [2], [3], [4], [2, 4]]) {
    await checkDrawn(2, 1, (draw) => ({
      operator: "BatchNormalization",
      inputs: drawInputs(draw, [2, 3, 2, 2]),
      wanted,
    }));
  }
});

Deno.test("BatchNormalization: the default of epsilon", async () => {
  // d y / d x = scale / sqrt(variance + 1e-5), where the variance is zero.
  const one = { shape: [1], values: [1] };
  const zero = { shape: [1], values: [0] };
  const [gradient] = await gradientsOf({
    operator: "BatchNormalization",
    inputs: [{ shape: [1, 1], values: [2] }, one, zero, zero, zero],
    wanted: [0],
  }, [[1]]);
  assertEquals(Math.round(gradient![0]! * 100), Math.round(100 / Math.sqrt(1e-5)));
});

Deno.test("BatchNormalization: training mode is refused by name", async () => {
  const statistics = { shape: [1], values: [1] };
  const problem = await assertRejects(() =>
    checkGradient({
      operator: "BatchNormalization",
      attributes: { training_mode: 1 },
      outputs: 3,
      inputs: [{ shape: [2, 1], values: [1, 2] }, ...Array(4).fill(statistics)],
    }), Problem);
  assertMatch(problem.message, /node subject \(BatchNormalization\).*training mode/);
});
