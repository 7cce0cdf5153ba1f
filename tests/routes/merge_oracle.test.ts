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

/** Methods that METHODS.md defines and mergekit lacks. */
const NOT_IN_MERGEKIT = [
  ...["negation", "analogy", "magmax", "consensus", "emr", "pcb"],
  ...["tsv_m", "iso_c", "iso_cts", "wudi", "ace"],
  ...["fisher", "regmean", "regmean_plus_plus"],
  ...["lora_cat", "lora_svd"],
];
/** Whose numbers are mergekit's with `compat` only: its random masks, and model_stock beyond [0, 1]. */
const COMPAT_ONLY = ["dare_linear", "dare_ties", "della", "della_linear", "model_stock"];

/** Sends a case over HTTP as a user would; answers the largest difference. */
async function difference(
  app: ReturnType<typeof testApp>["app"],
  test: OracleCase,
  compat: "mergekit" | "none",
): Promise<number> {
  const names = [...new Set([...test.models, ...(test.base === null ? [] : [test.base])])];
  const form = new FormData();
  const recipe = {
    merge_method: test.method,
    ...(test.base === null ? {} : { base_model: test.base }),
    models: test.models.map((model, i) => ({ model, parameters: test.per_model[i] ?? {} })),
    parameters: test.params,
    out_dtype: "float32",
    compat,
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

Deno.test("all forty cases of the oracle, over HTTP, are within their tolerance", async () => {
  const { app, close } = testApp();
  for (const test of oracle.cases) {
    const tolerance = test.params.filter_wise === true ? 5e-6 : 1e-6;
    for (const compat of ["mergekit", "none"] as const) {
      if (compat === "none" && COMPAT_ONLY.includes(test.method)) continue;
      const worst = await difference(app, test, compat);
      const name = `${test.method} ${JSON.stringify(test.params)} with compat ${compat}`;
      assert(worst <= tolerance, `${name}: off by ${worst}`);
    }
  }
  await close();
});

Deno.test("the oracle holds every method that mergekit has", () => {
  assertEquals(oracle.cases.length, 40);
  const methods = [...new Set(oracle.cases.map(({ method }) => method))];
  const ours = [...METHODS.keys()].filter((name) => !NOT_IN_MERGEKIT.includes(name));
  assertEquals(methods.sort(), ours.sort());
});
