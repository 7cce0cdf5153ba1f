import { assertEquals, assertStringIncludes } from "@std/assert";
import { caughtProblem } from "../support/caught_problem.ts";
import { opened, planOf, readBy, type TensorForm, tensorOf } from "./opened.ts";

const weights = (forms: Readonly<Record<string, TensorForm>>) => opened(forms);
const TIES = { merge_method: "ties", base_model: "base", models: [{ model: "a" }, { model: "b" }] };
const LINEAR = { merge_method: "linear", models: [{ model: "a" }, { model: "b" }] };

Deno.test("makePlan() refuses shapes that differ, naming tensors, models and shapes", async () => {
  const checkpoints = {
    base: weights({ v: [1], w: [2, 3] }),
    a: weights({ v: [1], w: [3, 2] }),
    b: weights({ v: [1], w: ["BF16", [2, 3]] }),
  };
  const problem = await caughtProblem(() => planOf(TIES, checkpoints));
  assertEquals(problem.kind, "mismatch");
  assertEquals(problem.members.tensors, [{
    name: "w",
    reason: "shape",
    models: {
      base: { dtype: "F32", shape: [2, 3] },
      a: { dtype: "F32", shape: [3, 2] },
      b: { dtype: "BF16", shape: [2, 3] },
    },
    nearest: {},
  }]);
  assertEquals(
    problem.message,
    'Cannot merge tensor "w" as its shapes or kinds of type differ: current value is ' +
      "base F32 [2, 3], a F32 [3, 2], b BF16 [2, 3]",
  );
  const base = planOf({ ...TIES, mismatch: "base" }, checkpoints);
  assertEquals(readBy(tensorOf(base, "w")), ["base:w"]);
  const sparse = { ...TIES, parameters: { density: 0.5 } };
  const skip = planOf({ ...sparse, mismatch: "skip" }, checkpoints);
  assertEquals(readBy(tensorOf(skip, "w")), ["base:w", "b:w"]);
  assertEquals(tensorOf(skip, "w").reasons, ["shape"]);
  assertStringIncludes(skip.warnings.join(), "another shape in some model");
  const all = planOf({ ...TIES, mismatch: "skip", models: [{ model: "a" }] }, checkpoints);
  assertEquals([tensorOf(all, "w").action, readBy(tensorOf(all, "w"))], ["copy", ["base:w"]]);
});

Deno.test("makePlan() copies the base where too few models are left", () => {
  const plan = planOf({ ...TIES, merge_method: "model_stock", mismatch: "skip" }, {
    base: weights({ w: [2] }),
    a: weights({ w: [3] }),
    b: weights({ w: [2] }),
  });
  assertEquals([tensorOf(plan, "w").reasons, readBy(tensorOf(plan, "w"))], [["shape"], ["base:w"]]);
});

Deno.test("makePlan() refuses a float where others have integers", async () => {
  const checkpoints = { a: weights({ w: [2] }), b: weights({ w: ["I32", [2]] }) };
  assertEquals((await caughtProblem(() => planOf(LINEAR, checkpoints))).kind, "mismatch");
});

Deno.test("makePlan() refuses missing tensors with the nearest name", async () => {
  const checkpoints = {
    base: weights({ "model.norm.weight": [2], v: [1] }),
    a: weights({ "model.norms.weight": [2], v: [1] }),
    b: weights({ "model.norm.weight": [2], v: [1] }),
  };
  const problem = await caughtProblem(() => planOf(TIES, checkpoints));
  assertEquals(problem.kind, "mismatch");
  assertEquals(problem.members.count, 2);
  assertEquals(problem.members.tensors, [
    {
      name: "model.norm.weight",
      reason: "missing",
      models: {
        base: { dtype: "F32", shape: [2] },
        a: null,
        b: { dtype: "F32", shape: [2] },
      },
      nearest: { a: "model.norms.weight" },
    },
    {
      name: "model.norms.weight",
      reason: "extra",
      models: { base: null, a: { dtype: "F32", shape: [2] }, b: null },
      nearest: { base: "model.norm.weight", b: "model.norm.weight" },
    },
  ]);
  const sparse = { ...TIES, parameters: { density: 0.5 } };
  const drop = planOf({ ...sparse, missing: "drop", extra: "omit" }, checkpoints);
  assertEquals(readBy(tensorOf(drop, "model.norm.weight")), [
    "base:model.norm.weight",
    "b:model.norm.weight",
  ]);
  assertEquals(tensorOf(drop, "model.norms.weight").action, "omit");
  const copy = planOf({ ...TIES, missing: "base", extra: "copy" }, checkpoints);
  assertEquals(readBy(tensorOf(copy, "model.norm.weight")), ["base:model.norm.weight"]);
  assertEquals(readBy(tensorOf(copy, "model.norms.weight")), ["a:model.norms.weight"]);
});

Deno.test("makePlan() lists at most twenty tensors that do not fit", async () => {
  const many = (size: number) =>
    opened(Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`w${i}`, [size]])));
  const problem = await caughtProblem(() => planOf(LINEAR, { a: many(1), b: many(2) }));
  assertEquals((problem.members.tensors as unknown[]).length, 20);
  assertEquals(problem.members.count, 50);
  assertStringIncludes(problem.message, "(and 49 more tensors)");
});
