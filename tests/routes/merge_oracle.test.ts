import { assert, assertEquals } from "@std/assert";
import { METHODS } from "../../core/methods/mod.ts";
import { checkpointBytes, checkpointValues } from "../support/merging.ts";
import { testApp } from "../support/service.ts";

interface OracleCase {
  readonly method: string;
  readonly models: readonly string[];
  readonly base: string | null;
  readonly params: Record<string, unknown>;
  readonly per_model: readonly Record<string, unknown>[];
  readonly seed: number | null;
  readonly expected: readonly number[];
}

interface Oracle {
  readonly shape: readonly number[];
  readonly inputs: Record<string, number[]>;
  readonly cases: readonly OracleCase[];
}

const oracle: Oracle = JSON.parse(
  await Deno.readTextFile(new URL("../../fixtures/oracle/mergekit-cases.json", import.meta.url)),
);

/** Sends a case over HTTP as a user would; answers the largest difference. */
async function difference(
  app: ReturnType<typeof testApp>["app"],
  test: OracleCase,
): Promise<number> {
  const names = [...new Set([...test.models, ...(test.base === null ? [] : [test.base])])];
  const form = new FormData();
  const recipe = {
    merge_method: test.method,
    ...(test.base === null ? {} : { base_model: test.base }),
    models: test.models.map((model, i) => ({ model, parameters: test.per_model[i] ?? {} })),
    parameters: test.params,
    out_dtype: "float32",
    compat: "mergekit",
    ...(test.seed === null ? {} : { seed: test.seed }),
  };
  form.append("recipe", new Blob([JSON.stringify(recipe)], { type: "application/json" }), "r.json");
  for (const name of names) {
    const bytes = checkpointBytes({ w: { shape: oracle.shape, values: oracle.inputs[name]! } });
    form.append(name, new Blob([bytes]), `${name}.safetensors`);
  }
  const response = await app.request("/merge", { method: "POST", body: form });
  assertEquals(response.status, 200, response.status === 200 ? "" : await response.text());
  const bytes = new Uint8Array(await response.arrayBuffer());
  assertEquals(bytes.length, Number(response.headers.get("content-length")));
  const { w } = await checkpointValues(bytes);
  return Math.max(...test.expected.map((value, i) => Math.abs(value - w![i]!)));
}

Deno.test("every oracle case of our methods, over HTTP, is within its tolerance", async () => {
  const { app, close } = testApp();
  const seen = new Map<string, number>();
  for (const test of oracle.cases) {
    if (!METHODS.has(test.method)) continue;
    const tolerance = test.params.filter_wise === true ? 5e-6 : 1e-6;
    const worst = await difference(app, test);
    assert(worst <= tolerance, `${test.method} ${JSON.stringify(test.params)}: off by ${worst}`);
    seen.set(test.method, (seen.get(test.method) ?? 0) + 1);
  }
  assertEquals([...seen.keys()].sort(), [...METHODS.keys()].sort());
  assertEquals([...seen.values()].reduce((a, b) => a + b), 18);
  await close();
});
