import { assertEquals, assertFalse, assertStringIncludes } from "@std/assert";
import { METHODS } from "../../core/methods/mod.ts";
import { caughtProblem } from "../support/caught_problem.ts";
import { opened, planOf, readBy, tensorOf } from "./opened.ts";

const FORM = { w: [2], i: ["I64", [1]] } as const;
const weights = opened(FORM);
const vector = opened(FORM, "task_vector", { kind: "task_vector" });
const LINEAR = { merge_method: "linear", models: [{ model: "a" }, { model: "b" }] };
const SUM = { merge_method: "task_arithmetic", models: [{ model: "a" }, { model: "b" }] };

/** The kinds that a tensor's work is told: the base's, then the models'. */
function kinds(plan: ReturnType<typeof planOf>) {
  const { work } = tensorOf(plan, "w");
  return work?.kind === "merge" ? [work.base?.kind, ...work.inputs.map(({ kind }) => kind)] : [];
}

Deno.test("task vectors are added to a base by any method", () => {
  const linear = planOf({ ...LINEAR, base_model: "base" }, {
    base: weights,
    a: vector,
    b: weights,
  });
  assertEquals(linear.kind, "weights");
  assertEquals(kinds(linear), ["weights", "task_vector", "weights"]);
  const sum = planOf({ ...SUM, base_model: "base" }, { base: weights, a: vector, b: vector });
  assertEquals(kinds(sum), ["weights", "task_vector", "task_vector"]);
  const { work } = tensorOf(sum, "w");
  assertFalse(work?.kind === "merge" && work.idempotent);
});

Deno.test("integers of task vectors are not compared with the base's", () => {
  const plan = planOf({ ...SUM, base_model: "base" }, { base: weights, a: vector, b: weights });
  assertEquals(readBy(tensorOf(plan, "i")), ["base:i", "b:i"]);
});

Deno.test("task vectors alone give a task vector", () => {
  const sum = planOf(SUM, { a: vector, b: vector });
  assertEquals([sum.kind, sum.metadata.kind], ["task_vector", "task_vector"]);
  assertEquals(kinds(sum), [undefined, "task_vector", "task_vector"]);
  const linear = planOf(LINEAR, { a: vector, b: vector });
  assertEquals(linear.kind, "task_vector");
  assertEquals(kinds(linear), [undefined, "weights", "weights"]);
  assertEquals(readBy(tensorOf(linear, "i")), ["a:i", "b:i"]);
});

Deno.test("slerp takes task vectors as they are", () => {
  const plan = planOf({
    merge_method: "slerp",
    base_model: "a",
    models: [{ model: "b" }],
    parameters: { t: 0.5 },
  }, { a: vector, b: vector });
  assertEquals([plan.kind, ...kinds(plan)], ["task_vector", "weights", "weights"]);
});

Deno.test("a kind may stand under sources", () => {
  const plan = planOf({
    ...SUM,
    sources: { a: { upload: true, kind: "task_vector" }, b: { upload: true, kind: "task_vector" } },
  }, { a: weights, b: weights });
  assertEquals(plan.kind, "task_vector");
});

Deno.test("copying a task vector into weights adds it to the base", () => {
  const plan = planOf({ ...SUM, base_model: "base", models: [{ model: "a" }] }, {
    base: weights,
    a: vector,
  });
  const { action, reasons, work } = tensorOf(plan, "w");
  assertEquals([action, reasons], ["merge", ["identity"]]);
  assertEquals(readBy(tensorOf(plan, "w")), ["base:w", "a:w"]);
  assertEquals(work?.kind === "merge" && work.decision.coefficients(new Float64Array()), {
    weight: [1],
  });
  const graph = work?.kind === "merge" ? work.method.graphs[work.decision.graph] : undefined;
  assertEquals(typeof graph, "function");
  const unselected = planOf(
    { ...LINEAR, base_model: "base", tensors: { include: [], otherwise: "first" } },
    { base: weights, a: vector, b: weights },
  );
  assertEquals(readBy(tensorOf(unselected, "w")), ["base:w", "a:w"]);
  assertEquals(readBy(tensorOf(unselected, "i")), ["base:i"]);
});

Deno.test("nothing added to no base is the zero task vector", () => {
  const plan = planOf({ ...SUM, parameters: { lambda: 0 } }, { a: vector, b: vector });
  const { work, reasons } = tensorOf(plan, "w");
  assertEquals(reasons, ["lambda-zero"]);
  assertEquals(work?.kind === "merge" && work.method, METHODS.get("linear"));
  assertEquals(work?.kind === "merge" && work.decision.coefficients(new Float64Array()), {
    weight: [0],
  });
});

Deno.test("a tensor that only a task vector has is never taken for weights", async () => {
  const more = opened({ ...FORM, x: [1] }, "task_vector");
  const problem = await caughtProblem(() =>
    planOf({ ...SUM, base_model: "base", extra: "copy", missing: "drop" }, {
      base: weights,
      a: more,
      b: vector,
    })
  );
  assertEquals(problem.kind, "mismatch");
});

const REFUSED: readonly [string, object, Parameters<typeof planOf>[1], string, string][] = [
  [
    "weights and task vectors without base",
    LINEAR,
    { a: weights, b: vector },
    "base_model",
    "Cannot merge task vectors (b) with weights as there is no base_model to add them to: " +
    "current value is undefined",
  ],
  [
    "weights without the base that the method needs",
    SUM,
    { a: weights, b: weights },
    "base_model",
    "Cannot merge as task_arithmetic needs base_model to take task vectors from the models: " +
    "current value is undefined",
  ],
  [
    "a task vector as base",
    { ...SUM, base_model: "base" },
    { base: vector, a: weights, b: weights },
    "base_model",
    'Cannot use the base model as it must hold weights: current value is "base" of kind task_vector',
  ],
  [
    "an adapter under a method on weights",
    { ...LINEAR, base_model: "a" },
    { a: weights, b: opened(FORM, "adapter") },
    "models[1].model",
    "Cannot merge the adapter as linear averages weights, and averaged factors would bring cross " +
    "terms: lora_cat and lora_svd merge adapters with each other, task_arithmetic and other methods " +
    'on task vectors with models: current value is "b"',
  ],
  [
    "a kind that the file denies",
    { ...LINEAR, sources: { b: { upload: true, kind: "weights" } } },
    { a: weights, b: vector },
    "sources.b.kind",
    'Cannot use kind as the file says that it holds task_vector: current value is "weights"',
  ],
];

for (const [name, document, checkpoints, path, message] of REFUSED) {
  Deno.test(`makePlan() refuses ${name}`, async () => {
    const problem = await caughtProblem(() => planOf(document, checkpoints));
    assertEquals(problem.kind, "invalid-recipe");
    assertEquals(problem.members.errors?.[0], { path, message });
    assertStringIncludes(problem.message, message);
  });
}
