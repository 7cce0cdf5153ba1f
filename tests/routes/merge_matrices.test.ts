import { assert, assertAlmostEquals, assertEquals, assertStringIncludes } from "@std/assert";
import references from "../../fixtures/matrix_methods/references.json" with { type: "json" };
import { type Files, mergedBytes, postRecipe, problemOf } from "../support/merge_requests.ts";
import { checkpointBytes, checkpointValues } from "../support/merging.ts";
import { testApp } from "../support/service.ts";

const reference = references.find(({ name }) => name === "wide")!;
const { shape, models, weights } = reference;
const rest = { "mlp.bias": [1, 2, 3] };

/** The uploads of the reference, with a vector beside its matrix. */
const files: Files = {
  base: checkpointBytes({ w: { shape, values: reference.base }, ...rest }),
  ...Object.fromEntries(
    models.map((values, i) => [`m${i}`, checkpointBytes({ w: { shape, values }, ...rest })]),
  ),
};

function recipe(merge_method: string, parameters: Record<string, unknown> = {}) {
  return {
    merge_method,
    base_model: "base",
    models: models.map((_, i) => ({ model: `m${i}`, parameters: { weight: weights[i] } })),
    parameters,
    experimental: merge_method === "ace",
  };
}

Deno.test("every matrix method over HTTP agrees with numpy and reports what it found", async () => {
  const { app, close } = testApp();
  for (const { method, parameters, expected, sti } of reference.results) {
    const response = await postRecipe(app, "/merge", recipe(method, parameters), files);
    const link = /^<([^>]+)>/.exec(response.headers.get("link")!)![1]!;
    const { w } = await checkpointValues(await mergedBytes(response));
    const largest = Math.max(...expected.map(Math.abs));
    expected.forEach((value, i) => assertAlmostEquals(w![i]!, value, 2 ** -23 * largest, method));
    const { tensors } = await (await app.request(link)).json();
    type Entry = { name: string; reasons: string[]; statistics?: Record<string, number> };
    const of = (name: string) => (tensors as Entry[]).find((tensor) => tensor.name === name)!;
    assertEquals(of("mlp.bias").reasons[0], "fallback-mean");
    if (sti !== undefined) assertAlmostEquals(of("w").statistics!.sti!, sti, 1e-9 * (1 + sti));
  }
  await close();
});

Deno.test("POST /plan tells passes and memory of a matrix method", async () => {
  const { app, close } = testApp();
  const plan = await (await postRecipe(app, "/plan", recipe("iso_cts"), files)).json();
  assertEquals(plan.passes, 2);
  assert(plan.peak_memory > 0);
  type Planned = { name: string; action: string; parameters: Record<string, unknown> };
  const of = (name: string) => (plan.tensors as Planned[]).find((tensor) => tensor.name === name)!;
  assertEquals(of("w").action, "merge");
  assertEquals(of("w").parameters.common_fraction, 0.8);
  assertEquals(of("w").parameters.matrix_exclude, false);
  await close();
});

Deno.test("GET /methods tells which methods are experimental and what their filters are", async () => {
  const { app, close } = testApp();
  const answer = await (await app.request("/methods")).json();
  type Entry = { name: string; experimental: boolean; parameters: Record<string, unknown> };
  const methods: Entry[] = Array.isArray(answer) ? answer : answer.methods;
  assertEquals(methods.filter((method) => method.experimental).map(({ name }) => name), ["ace"]);
  const { matrix_exclude } = methods.find(({ name }) => name === "tsv_m")!.parameters;
  const { description: _, ...schema } = matrix_exclude as { description: string };
  assertEquals(schema, {
    scope: "global",
    type: "array",
    items: { type: "string" },
    default: [],
    required: false,
  });
  await close();
});

Deno.test("faulty parameters of matrix methods and ace without experimental are refused", async () => {
  const { app, close } = testApp();
  const cases = [
    [recipe("tsv_m", { rank_tol: 1 }), "parameters.rank_tol", "current value is 1"],
    [recipe("iso_cts", { common_fraction: 1.5 }), "parameters.common_fraction", "[0, 1]"],
    [recipe("wudi", { ridge_to: "mean" }), "parameters.ridge_to", '"sum" or "zero"'],
    [recipe("wudi", { matrix_exclude: ["a", 1] }), "parameters.matrix_exclude[1]", "is 1"],
    [recipe("wudi", { rank_tol: 0 }), "parameters.rank_tol", "none of this name"],
    [{ ...recipe("ace"), experimental: false }, "experimental", "experimental: true"],
  ] as const;
  for (const [document, path, text] of cases) {
    const problem = await problemOf(await postRecipe(app, "/merge", document, files));
    assertEquals([problem.status, problem.kind], [422, "invalid-recipe"]);
    assertEquals(problem.errors?.map((error) => error.path), [path]);
    assertStringIncludes(problem.errors![0]!.message, text);
  }
  await close();
});
