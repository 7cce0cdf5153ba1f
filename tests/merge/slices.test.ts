import { assertEquals } from "@std/assert";
import { caughtProblem } from "../support/caught_problem.ts";
import { opened, planOf, readBy, type TensorForm, tensorOf } from "./opened.ts";

/** A model of some blocks under `h`, with tensors before and after them and a smaller second stack. */
function blocks(count: number, shape: TensorForm = [2]) {
  return opened({
    "embed.weight": shape,
    "vision.blocks.0.head.w": shape,
    ...Object.fromEntries(Array.from({ length: count }, (_, i) => [`h.${i}.w`, shape])),
    "ln_f.weight": shape,
  });
}

const FOUR = { a: blocks(4), b: blocks(4), base: blocks(4) };

Deno.test("slices stack blocks and take the rest from the ends", () => {
  const plan = planOf({
    merge_method: "passthrough",
    slices: [
      { sources: [{ model: "a", layer_range: [0, 2] }] },
      { sources: [{ model: "b", layer_range: [1, 4] }] },
    ],
  }, FOUR);
  const read = Object.fromEntries(plan.tensors.map((tensor) => [tensor.name, readBy(tensor)]));
  assertEquals(read, {
    "embed.weight": ["a:embed.weight"],
    "vision.blocks.0.head.w": ["a:vision.blocks.0.head.w"],
    "h.0.w": ["a:h.0.w"],
    "h.1.w": ["a:h.1.w"],
    "h.2.w": ["b:h.1.w"],
    "h.3.w": ["b:h.2.w"],
    "h.4.w": ["b:h.3.w"],
    "ln_f.weight": ["b:ln_f.weight"],
  });
});

Deno.test("slices merge blocks of different places, positions restarting in each", () => {
  const plan = planOf({
    merge_method: "slerp",
    base_model: "a",
    slices: [
      { sources: [{ model: "a", layer_range: [0, 3] }, { model: "b", layer_range: [1, 4] }] },
      {
        sources: [{ model: "b", layer_range: [3, 4] }, { model: "a", layer_range: [0, 1] }],
        parameters: { t: 0.25 },
      },
    ],
    parameters: { t: [0.1, 0.9] },
  }, FOUR);
  assertEquals(readBy(tensorOf(plan, "h.1.w")), ["a:h.1.w", "b:h.2.w"]);
  assertEquals(readBy(tensorOf(plan, "h.3.w")), ["a:h.0.w", "b:h.3.w"]);
  assertEquals(["h.0.w", "h.1.w", "h.2.w", "h.3.w"].map((name) => tensorOf(plan, name).t), [
    0,
    0.5,
    1,
    1,
  ]);
  assertEquals(["h.1.w", "h.3.w"].map((name) => tensorOf(plan, name).parameters.t), [0.5, 0.25]);
});

Deno.test("a model's filters see input names, global ones output names", () => {
  const plan = planOf({
    merge_method: "task_arithmetic",
    base_model: "base",
    slices: [{
      sources: [{
        model: "a",
        layer_range: [2, 4],
        parameters: { weight: [{ filter: "h.2.", value: 7 }, { value: 1 }] },
      }],
      parameters: { lambda: [{ filter: "h.0.", value: 3 }, { value: 2 }] },
    }],
  }, FOUR);
  assertEquals(tensorOf(plan, "h.0.w").parameters.lambda, 3);
  assertEquals((tensorOf(plan, "h.0.w").parameters.a as { weight: number }).weight, 7);
  assertEquals(tensorOf(plan, "h.1.w").parameters.lambda, 2);
  assertEquals((tensorOf(plan, "h.1.w").parameters.a as { weight: number }).weight, 1);
});

Deno.test("a base that is not listed gives the blocks of the first source", () => {
  const plan = planOf({
    merge_method: "ties",
    base_model: "base",
    slices: [{
      sources: [{ model: "a", layer_range: [1, 3] }, { model: "b", layer_range: [2, 4] }],
    }],
  }, FOUR);
  assertEquals(readBy(tensorOf(plan, "h.0.w")), ["base:h.1.w", "a:h.1.w", "b:h.2.w"]);
});

Deno.test("blocks are counted by rank, so that gaps in the numbers do not matter", () => {
  const gaps = opened({ "net.0.w": [2], "net.3.w": [2], "net.6.w": [2], "out": [2] });
  const plan = planOf({
    merge_method: "passthrough",
    slices: [{ sources: [{ model: "a", layer_range: [1, 3] }] }],
  }, { a: gaps });
  assertEquals(readBy(tensorOf(plan, "net.0.w")), ["a:net.3.w"]);
  assertEquals(readBy(tensorOf(plan, "net.1.w")), ["a:net.6.w"]);
});

Deno.test("slices refuse ranges outside a model and models without blocks", async () => {
  const document = (a: number[], b: number[]) => ({
    merge_method: "passthrough",
    slices: [
      { sources: [{ model: "a", layer_range: a }] },
      { sources: [{ model: "b", layer_range: b }] },
    ],
  });
  const range = await caughtProblem(() => planOf(document([0, 5], [3, 9]), FOUR));
  assertEquals(range.members.errors, [
    {
      path: "slices[0].sources[0].layer_range",
      message:
        'Cannot take the blocks of "a" as layer_range must lie in [0, 4] (h): current value is [0,5]',
    },
    {
      path: "slices[1].sources[0].layer_range",
      message:
        'Cannot take the blocks of "b" as layer_range must lie in [0, 4] (h): current value is [3,9]',
    },
  ]);
  const flat = opened({ w: [2] });
  const none = await caughtProblem(() => planOf(document([0, 1], [0, 1]), { a: flat, b: flat }));
  assertEquals(none.members.errors, [{
    path: "slices[0].sources[0].model",
    message: "Cannot take slices as the tensors of the first source stand in no numbered blocks: " +
      'current value is "a"',
  }]);
});

Deno.test("slices refuse blocks that do not fit together", async () => {
  const problem = await caughtProblem(() =>
    planOf({
      merge_method: "linear",
      slices: [{
        sources: [{ model: "a", layer_range: [0, 2] }, { model: "b", layer_range: [0, 2] }],
      }],
    }, { a: blocks(2), b: blocks(2, [3]) })
  );
  assertEquals([problem.kind, problem.members.count], ["mismatch", 5]);
  assertEquals(problem.members.errors?.[0]?.path, "slices[0].sources");
});
