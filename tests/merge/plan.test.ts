import { assert, assertEquals } from "@std/assert";
import { METHODS } from "../../core/methods/mod.ts";
import { passesOf } from "../../core/merge/passes.ts";
import { caughtProblem } from "../support/caught_problem.ts";
import { opened, planOf, readBy, type TensorForm, tensorOf } from "./opened.ts";

const weights = (forms: Readonly<Record<string, TensorForm>>) => opened(forms);
const W = weights({ w: [2, 3] });
const W2 = weights({ w: [2] });
const TIES = { merge_method: "ties", base_model: "base", models: [{ model: "a" }, { model: "b" }] };
const LINEAR = { merge_method: "linear", models: [{ model: "a" }, { model: "b" }] };

Deno.test("makePlan() gives each tensor its inputs, the base apart", () => {
  const plan = planOf(
    { ...TIES, models: [{ model: "a" }, { model: "base" }, { model: "b" }] },
    { base: W, a: W, b: W },
  );
  const { work, action, dtype, shape, elements } = tensorOf(plan, "w");
  assertEquals([action, dtype, shape, elements], ["merge", "F32", [2, 3], 6]);
  assertEquals(work?.kind === "merge" && work.base?.model, "base");
  assertEquals(work?.kind === "merge" && work.inputs.map(({ model }) => model), ["a", "b"]);
  assertEquals(plan.kind, "weights");
});

Deno.test("makePlan() uses a base in linear only if it is listed, or with compat", () => {
  const checkpoints = { base: W, a: W, b: W };
  const read = (document: object) => readBy(tensorOf(planOf(document, checkpoints), "w"));
  assertEquals(read({ ...LINEAR, base_model: "base" }), ["a:w", "b:w"]);
  assertEquals(
    read({ ...LINEAR, base_model: "base", models: [{ model: "a" }, { model: "base" }] }),
    ["a:w", "base:w"],
  );
  assertEquals(
    read({ ...LINEAR, base_model: "base", compat: "mergekit" }),
    ["base:w", "a:w", "b:w"],
  );
});

Deno.test("makePlan() counts bytes and passes", () => {
  const checkpoints = { base: W, a: W, b: W };
  const plan = planOf({ ...TIES, parameters: { density: 0.5 } }, checkpoints);
  assertEquals([plan.passes, plan.bytesIn], [2, 2 * 3 * 24]);
  const l1 = planOf({ ...TIES, parameters: { density: 0.5, rescale: true } }, checkpoints);
  assertEquals([l1.passes, passesOf(tensorOf(l1, "w").work!)], [3, 3]);
  const dense = planOf(TIES, checkpoints);
  assertEquals([dense.passes, dense.bytesIn], [1, 3 * 24]);
  const still = planOf({ ...TIES, parameters: { lambda: 0 } }, checkpoints);
  assertEquals([still.passes, still.bytesIn], [1, 24]);
  assert(still.bytesOut - 24 > 0 && (still.bytesOut - 24) % 8 === 0);
});

Deno.test("makePlan() bounds the memory", async () => {
  const checkpoints = { base: W, a: W, b: W };
  assertEquals(planOf(TIES, checkpoints, { chunkMemory: 100 }).peakMemory, 400);
  const problem = await caughtProblem(() =>
    planOf(TIES, checkpoints, { chunkMemory: 100, memory: 399 })
  );
  assertEquals(problem.kind, "too-large");
});

Deno.test("makePlan() writes out_dtype, else dtype, else the base's own type", () => {
  const checkpoints = {
    base: weights({ w: ["BF16", [2]], f: ["F16", [2]], i: ["I64", [2]] }),
    a: weights({ w: ["F32", [2]], f: ["F64", [2]], i: ["I64", [2]] }),
    b: weights({ w: ["F32", [2]], f: ["F32", [2]], i: ["I64", [2]] }),
  };
  const types = (options: object) => {
    const plan = planOf({ ...TIES, ...options }, checkpoints);
    return ["w", "f", "i"].map((name) => tensorOf(plan, name).dtype);
  };
  assertEquals(types({}), ["BF16", "F16", "I64"]);
  assertEquals(types({ dtype: "float32" }), ["F32", "F32", "I64"]);
  assertEquals(types({ dtype: "float32", out_dtype: "float16" }), ["F16", "F16", "I64"]);
  const plan = planOf(TIES, checkpoints);
  assertEquals(tensorOf(plan, "f").reasons, ["narrowed"]);
  const integers = tensorOf(plan, "i");
  assertEquals([integers.action, integers.reasons], ["copy", ["integer"]]);
  assertEquals(readBy(integers), ["base:i", "a:i", "b:i"]);
});

Deno.test("makePlan() lists the tensors in the order in which they are written", () => {
  const form = { a: ["BF16", [2]], b: [2], c: ["I64", [1]], d: ["BF16", [4]] } as const;
  const model = opened(form);
  const plan = planOf({ ...LINEAR, tensors: { exclude: ["b"], otherwise: "omit" } }, {
    a: model,
    b: model,
  });
  assertEquals(plan.tensors.map(({ name }) => name), ["c", "a", "d", "b"]);
  assertEquals(tensorOf(plan, "b").action, "omit");
  assertEquals(tensorOf(plan, "b").work, undefined);
});

Deno.test("makePlan() gives unselected tensors what otherwise says", () => {
  const checkpoints = {
    base: weights({ w: [2], x: [2] }),
    a: weights({ w: [2], x: [2], head: [3] }),
    b: weights({ w: [2], x: [9] }),
  };
  const plan = (otherwise: string) =>
    planOf({ ...TIES, tensors: { include: ["w"], otherwise } }, checkpoints);
  const x = (otherwise: string) => {
    const tensor = tensorOf(plan(otherwise), "x");
    return [tensor.action, tensor.reasons, readBy(tensor)];
  };
  assertEquals(x("base"), ["copy", ["unselected"], ["base:x"]]);
  assertEquals(x("first"), ["copy", ["unselected"], ["a:x"]]);
  assertEquals(x("omit"), ["omit", ["unselected"], []]);
  assertEquals(tensorOf(plan("base"), "head").reasons, ["unselected", "missing"]);
  assertEquals(readBy(tensorOf(plan("first"), "head")), ["a:head"]);
});

Deno.test("makePlan() refuses 8-bit floats unless they are unscaled or only copied", async () => {
  const eight = weights({ w: ["F8_E4M3", [2]] });
  const problem = await caughtProblem(() => planOf(LINEAR, { a: eight, b: W2 }));
  assertEquals([problem.kind, problem.members.source, problem.members.dtype], [
    "unsupported-dtype",
    "a",
    "F8_E4M3",
  ]);
  const plain = planOf({ ...LINEAR, float8: "unscaled" }, { a: eight, b: W2 });
  assertEquals([tensorOf(plain, "w").action, tensorOf(plain, "w").dtype], ["merge", "F8_E4M3"]);
  const copy = { ...LINEAR, tensors: { include: [] } };
  assertEquals(tensorOf(planOf(copy, { a: eight, b: W2 }), "w").action, "copy");
  const converted = await caughtProblem(() =>
    planOf({ ...copy, out_dtype: "float32" }, { a: eight, b: W2 })
  );
  assertEquals(converted.kind, "unsupported-dtype");
});

Deno.test("makePlan() reports what a method refuses once, with its first tensor", async () => {
  const many = opened({ "a.w": [1], "b.w": [1], "c.w": [1] });
  const problem = await caughtProblem(() =>
    planOf({
      ...LINEAR,
      models: [
        { model: "a", parameters: { weight: [{ filter: "a", value: 1 }, { value: 0 }] } },
        { model: "b", parameters: { weight: 0 } },
      ],
    }, { a: many, b: many })
  );
  assertEquals(problem.kind, "invalid-recipe");
  assertEquals(problem.members.errors, [{
    path: "models[0].parameters.weight",
    message: 'Tensor "b.w" and 1 more: Cannot average the models as every weight is 0: ' +
      "the sum of magnitudes is 0",
  }]);
});

Deno.test("makePlan() refuses filters that leave a tensor without a required parameter", async () => {
  const problem = await caughtProblem(() =>
    planOf({
      merge_method: "slerp",
      base_model: "base",
      models: [{ model: "a" }],
      parameters: { t: { filter: "mlp", value: 1 } },
    }, { base: W, a: W })
  );
  assertEquals(problem.members.errors, [{
    path: "parameters.t",
    message: 'Tensor "w": Cannot merge as no entry of t applies to this tensor; add one without ' +
      "filter: current value is undefined",
  }]);
});

Deno.test("makePlan() copies empty tensors and plans scalars as one element", () => {
  const model = opened({ empty: [0, 4], scalar: ["F32", []] });
  const plan = planOf(LINEAR, { a: model, b: model });
  assertEquals([tensorOf(plan, "empty").action, tensorOf(plan, "empty").reasons], [
    "copy",
    ["empty"],
  ]);
  const scalar = tensorOf(plan, "scalar");
  assertEquals([scalar.action, scalar.elements, scalar.shape], ["merge", 1, []]);
});

Deno.test("makePlan() warns of globs, filters and sources without use", () => {
  const plan = planOf({
    ...LINEAR,
    models: [
      { model: "a", parameters: { weight: [{ filter: "attn", value: 2 }, { value: 1 }] } },
      { model: "b" },
    ],
    tensors: { exclude: ["*.bias"] },
    sources: { c: { path: "c" } },
  }, { a: W, b: W });
  assertEquals(plan.warnings, [
    'The source "c" is not used',
    'The glob "*.bias" of tensors matches no tensor',
    'The filter "attn" of weight applies to no tensor that is merged',
  ]);
});

Deno.test("makePlan() takes four times as long for four times as many tensors, not sixteen", () => {
  const document = {
    ...TIES,
    parameters: { weight: [{ filter: "part1", value: [0.1, 0.9] }, { value: 0.5 }] },
  };
  /** The shortest of five times: what else runs on the machine only adds. */
  const shortest = (count: number) => {
    const model = opened(Object.fromEntries(
      Array.from({ length: count }, (_, i) => [`model.layers.${i >> 3}.part${i & 7}.weight`, [4]]),
    ));
    return Math.min(...Array.from({ length: 5 }, () => {
      const start = performance.now();
      const { tensors } = planOf(document, { base: model, a: model, b: model });
      assertEquals(tensors.length, count);
      return performance.now() - start;
    }));
  };
  const few = shortest(2500);
  assert(shortest(10_000) < 11 * few);
});

Deno.test("every method plans a model against itself", () => {
  const needed: Record<string, object> = { slerp: { t: 0.5 }, nearswap: { t: 0.5 } };
  for (const [name, method] of METHODS) {
    // These take adapters, see tests/adapters/.
    if (method.factors) continue;
    const { minimum, maximum } = method.models;
    const count = Math.min(Math.max(minimum, 2), maximum);
    const models = ["a", "b", "c"].slice(0, count).map((model) => ({
      model,
      parameters: name === "analogy" ? { role: model } : {},
      ...(method.statistics ? { statistics: "s" } : {}),
    }));
    const plan = planOf({
      merge_method: name,
      ...(method.base === "required" ? { base_model: "base" } : {}),
      models,
      parameters: needed[name] ?? {},
      experimental: method.experimental ?? false,
    }, { base: W, a: W, b: W, c: W, s: weights({}) });
    assertEquals(tensorOf(plan, "w").dtype, "F32", name);
  }
});

Deno.test("makePlan() states the passes and the memory of every kind of measure", () => {
  const large = weights({ w: [1000, 3000] });
  const checkpoints = { base: large, a: large, b: large };
  const MIB = 2 ** 20;
  const stated = (merge_method: string, parameters: object, models = ["a", "b"]) => {
    const plan = planOf(
      { merge_method, base_model: "base", models: models.map((model) => ({ model })), parameters },
      checkpoints,
      { chunkMemory: MIB },
    );
    return [plan.passes, plan.peakMemory / MIB - models.length - 2];
  };
  const close = ([passes, memory]: number[], expected: [number, number]) => {
    assertEquals(passes, expected[0]);
    assert(Math.abs(memory! - expected[1]) < 0.01, `${memory} MiB more than the chunks`);
  };
  close(stated("magmax", {}), [1, 0]);
  // Sums of a vector are few; those of 3000 columns are 4 doubles each.
  close(stated("nuslerp", {}), [2, 0]);
  close(stated("nuslerp", { nuslerp_flatten: false, nuslerp_row_wise: true }), [2, 0.0916]);
  // Keys around one rank: 1 MiB in a thread, and as much collected.
  close(stated("ties", { density: 0.5 }), [2, 2 * 2]);
  close(stated("ties", { density: 0.5, trim_scope: "model" }), [2, 2 * 2]);
  close(stated("breadcrumbs", { density: 0.5, gamma: 0.1 }), [2, 4 * 2]);
  close(stated("sce", { select_topk: 0.5 }), [3, 2]);
  // Three quantiles of one row of scores, which takes a chunk as well.
  close(stated("arcee_fusion", {}, ["a"]), [4, 3 * 2 + 1 + 0.0534]);
  close(stated("pcb", {}), [3, (4 + 8) * 2 + 2 + 4]);
  // Rows of 3000 elements are sorted.
  close(stated("della", { density: 0.5 }), [1, 3000 * 24 / MIB]);
  close(stated("emr", { task: "a" }), [2, 0]);
});

Deno.test("makePlan() counts rows that are ranked as a whole", () => {
  const vector = weights({ w: [2 ** 20] });
  const plan = planOf(
    {
      merge_method: "della",
      base_model: "base",
      models: [{ model: "a" }],
      parameters: { density: 0.5 },
    },
    { base: vector, a: vector },
    { chunkMemory: 2 ** 20 },
  );
  // Four bytes for each element of both inputs and the output, twenty-four to sort.
  assertEquals(plan.peakMemory, 2 ** 20 * (3 * 4 + 24));
});

Deno.test("a task must be one of the models", async () => {
  const checkpoints = { base: W, a: W, b: W };
  const document = { ...TIES, merge_method: "emr" };
  assertEquals(
    tensorOf(planOf({ ...document, parameters: { task: "b" } }, checkpoints), "w").action,
    "merge",
  );
  for (const task of ["base", "c"]) {
    const problem = await caughtProblem(() =>
      planOf({ ...document, parameters: { task } }, { ...checkpoints, c: W })
    );
    assertEquals(problem.kind, "invalid-recipe");
    assert(problem.message.includes(`"${task}"`), problem.message);
  }
});
