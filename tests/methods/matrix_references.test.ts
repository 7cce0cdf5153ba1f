import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { METHODS } from "../../core/methods/mod.ts";
import type { TensorReport } from "../../core/stream/report.ts";
import references from "../../fixtures/matrix_methods/references.json" with { type: "json" };
import { checkpointValues, mergeBytes, type TestCheckpoint } from "../support/merging.ts";

/** The merged tensor and its report. */
async function merged(
  { base, models, shape, weights }: (typeof references)[number],
  merge_method: string,
  parameters: Record<string, unknown>,
) {
  const tensor = (values: readonly number[]): TestCheckpoint => ({ w: { shape, values } });
  const reports: TensorReport[] = [];
  const bytes = await mergeBytes(
    {
      merge_method,
      base_model: "base",
      models: models.map((_, i) => ({ model: `m${i}`, parameters: { weight: weights[i] } })),
      parameters,
      ...(METHODS.get(merge_method)!.experimental ? { experimental: true } : {}),
    },
    { base: tensor(base), ...Object.fromEntries(models.map((m, i) => [`m${i}`, tensor(m)])) },
    { onTensor: (report) => reports.push(report) },
  );
  return { values: (await checkpointValues(bytes)).w!, report: reports[0]! };
}

for (const reference of references) {
  Deno.test(`matrix methods agree with numpy in double precision: ${reference.name}`, async () => {
    for (const { method, parameters, expected, sti } of reference.results) {
      const { values, report } = await merged(reference, method, parameters);
      const label = `${method} ${JSON.stringify(parameters)}`;
      // Rounding to float32, once, of a result of this size.
      const largest = Math.max(...expected.map(Math.abs));
      const error = Math.max(...expected.map((value, i) => Math.abs(value - values[i]!)));
      assert(error <= 2 ** -23 * largest, `${label}: off by ${error} of ${largest}`);
      if (sti === undefined) continue;
      assertAlmostEquals(Number(report.statistics!.sti), sti, 1e-9 * Math.max(1, sti), label);
    }
  });
}

Deno.test("the references cover every matrix method", () => {
  const covered = new Set(references.flatMap(({ results }) => results.map((r) => r.method)));
  const matrix = [...METHODS.values()].filter(({ parameters }) => "matrix_view" in parameters);
  assertEquals([...covered].sort(), matrix.map(({ name }) => name).sort());
});
