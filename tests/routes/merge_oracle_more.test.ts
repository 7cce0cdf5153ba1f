import { assert, assertEquals } from "@std/assert";
import { checkpointBytes, checkpointValues } from "../support/merging.ts";
import { testApp } from "../support/service.ts";

interface OracleCase {
  readonly method: string;
  readonly shape: readonly number[];
  readonly inputs: Readonly<Record<string, readonly number[]>>;
  readonly models: readonly string[];
  readonly base: string | null;
  readonly params: Record<string, unknown>;
  readonly per_model: readonly Record<string, unknown>[];
  readonly seed: number | null;
  readonly expected: readonly number[];
}

const { cases }: { cases: readonly OracleCase[] } = JSON.parse(
  await Deno.readTextFile(new URL("../../fixtures/oracle_more/cases.json", import.meta.url)),
);

/** The largest difference to what mergekit answers, over HTTP. */
async function difference(
  { app }: ReturnType<typeof testApp>,
  test: OracleCase,
  compat: "mergekit" | "none",
): Promise<number> {
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
  for (const [name, values] of Object.entries(test.inputs)) {
    const bytes = checkpointBytes({ w: { shape: test.shape, values } });
    form.append(name, new Blob([bytes]), `${name}.safetensors`);
  }
  const response = await app.request("/merge", { method: "POST", body: form });
  assertEquals(response.status, 200, response.ok ? "" : await response.text());
  const { w } = await checkpointValues(new Uint8Array(await response.arrayBuffer()));
  assertEquals(w!.length, test.expected.length);
  return Math.max(...test.expected.map((value, i) => Math.abs(value - w![i]!)));
}

/** Whose numbers are mergekit's with `compat` only; rescaling by the L1 norm is that of compat everywhere. */
const COMPAT_ONLY = [
  "dare_linear",
  "dare_ties",
  "della",
  "della_linear",
  "model_stock",
  "multislerp",
];

for (const method of new Set(cases.map((test) => test.method))) {
  Deno.test(`random cases of ${method} are within rounding of mergekit's numbers`, async () => {
    const test = testApp();
    try {
      for (const [number, each] of cases.filter((one) => one.method === method).entries()) {
        const name = `case ${number}, shape [${each.shape}], ${JSON.stringify(each.params)}`;
        const tolerance = each.params["filter_wise"] === true ? 1e-5 : 3e-6;
        const worst = await difference(test, each, "mergekit");
        assert(worst <= tolerance, `${name}: off by ${worst}`);
        if (COMPAT_ONLY.includes(method)) continue;
        const ours = await difference(test, each, "none");
        assert(ours <= tolerance, `${name} without compat: off by ${ours}`);
      }
    } finally {
      await test.close();
    }
  });
}
