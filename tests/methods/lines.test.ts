import { assert, assertAlmostEquals, assertEquals, assertStringIncludes } from "@std/assert";
import { inlineExecutor, workerPool } from "../../core/engine/pool.ts";
import { METHODS } from "../../core/methods/mod.ts";
import type { TensorReport } from "../../core/stream/report.ts";
import { parseRecipe } from "../../core/merge/recipe.ts";
import { caughtProblem } from "../support/caught_problem.ts";
import {
  checkpointBytes,
  checkpointValues,
  mergeBytes,
  type TestMergeOptions,
} from "../support/merging.ts";
import { gridCheckpoint, methodRecipe, PLAIN_METHODS, TENSORS } from "../support/method_recipes.ts";

const NAMES = TENSORS;
const BASE = gridCheckpoint(1);
const MODELS = { a: gridCheckpoint(2), b: gridCheckpoint(3), c: gridCheckpoint(4) };
const recipeOf = methodRecipe;

const WITH_BASE = PLAIN_METHODS.filter((name) => METHODS.get(name)!.base !== "listed");

async function run(recipe: Record<string, unknown>, options: TestMergeOptions = {}) {
  const used = JSON.stringify(recipe);
  const files = Object.fromEntries(
    Object.entries({ base: BASE, ...MODELS }).filter(([name]) => used.includes(`"${name}"`))
      .map(([name, tensors]) => [name, checkpointBytes(tensors)]),
  );
  return await mergeBytes(recipe, files, options);
}

/** What a merge adds to the base, by tensor. */
async function changes(recipe: Record<string, unknown>, options?: TestMergeOptions) {
  const merged = await checkpointValues(await run(recipe, options));
  const base = await checkpointValues(checkpointBytes(BASE));
  return Object.fromEntries(
    NAMES.map((name) => [name, [...merged[name]!].map((value, i) => value - base[name]![i]!)]),
  );
}

for (const name of WITH_BASE) {
  Deno.test(`${name}: α = 1 and β = 0 change no byte; other factors scale what is added by depth`, async () => {
    const recipe = recipeOf(name);
    const plain = await run(recipe);
    const same = await run({ ...recipe, lines: { alpha: 1, beta: 0 } });
    const tail = (bytes: Uint8Array) =>
      bytes.slice(8 + Number(new DataView(bytes.buffer).getBigUint64(0, true)));
    assertEquals(tail(same), tail(plain));
    const whole = await changes(recipe);
    const scaled = await changes({ ...recipe, lines: { alpha: 0.5, beta: 1 } });
    const factors = { "layers.0.w": 0.5, "layers.1.w": 1, "layers.2.w": 1.5, "embed.w": 0.5 };
    for (const [tensor, factor] of Object.entries(factors)) {
      whole[tensor]!.forEach((value, i) =>
        assertAlmostEquals(scaled[tensor]![i]!, factor * value, 4e-6, `${tensor}[${i}]`)
      );
    }
  });
}

Deno.test("lines are a gradient of λ with t = 0 outside blocks", async () => {
  const recipe = recipeOf("ties");
  const lines = await changes({ ...recipe, lines: { alpha: 0.25, beta: 0.5 } });
  const gradient = await changes({ ...recipe, parameters: { lambda: [0.25, 0.75] } });
  for (const name of NAMES) {
    lines[name]!.forEach((value, i) => assertAlmostEquals(value, gradient[name]![i]!, 1e-6));
  }
});

Deno.test("the factor found over the whole model is the ratio of magnitudes over the models", async () => {
  for (const name of ["ties", "dare_ties", "sce", "model_stock", "slerp", "emr"]) {
    const recipe = recipeOf(name);
    const parameters = name === "dare_ties" || name === "ties"
      ? { density: 0.5 }
      : recipe.parameters;
    const all = { ...recipe, parameters };
    const moved = await changes(all);
    const models = (recipe.models as { model: keyof typeof MODELS }[]).map(({ model }) => model);
    const base = await checkpointValues(checkpointBytes(BASE));
    let [changed, total] = [0, 0];
    const values = await Promise.all(
      models.map((model) => checkpointValues(checkpointBytes(MODELS[model]))),
    );
    for (const tensor of NAMES) {
      moved[tensor]!.forEach((value, i) => {
        changed += Math.abs(value);
        total += Math.abs(
          values.reduce((sum, each) => sum + each[tensor]![i]! - base[tensor]![i]!, 0),
        );
      });
    }
    const expected = total / changed / models.length;
    const reports: TensorReport[] = [];
    await run({ ...all, lines: { alpha: "auto", beta: 0 } }, {
      onTensor: (report) => reports.push(report),
    });
    assertEquals(reports.length, NAMES.length);
    for (const { statistics } of reports) {
      assertAlmostEquals(Number(statistics!.lines) / expected, 1, 1e-5, name);
    }
  }
});

Deno.test("the factor of a plain sum is one over the number of models, whatever the chunks and workers", async () => {
  const recipe = {
    ...recipeOf("task_arithmetic"),
    models: Object.keys(MODELS).map((model) => ({ model, parameters: { weight: 1 } })),
    lines: { alpha: "auto", beta: 0.5 },
  };
  const reports: TensorReport[] = [];
  const bytes = await run(recipe, { onTensor: (report) => reports.push(report) });
  const factors = reports.map(({ name, statistics }) => [name, statistics!.lines]);
  assertAlmostEquals(Number(new Map(factors as [string, number][]).get("embed.w")), 1 / 3, 1e-12);
  const pool = workerPool(2);
  assertEquals(await run(recipe, { executor: pool, chunkElements: 8192 }), bytes);
  await pool.close();
  const wasm = inlineExecutor("wasm");
  const other = await checkpointValues(await run(recipe, { executor: wasm }));
  const ours = await checkpointValues(bytes);
  for (const name of NAMES) {
    ours[name]!.forEach((value, i) => assertAlmostEquals(other[name]![i]!, value, 1e-6));
  }
  await wasm.close();
});

Deno.test("a model that would be taken over as it is is scaled too", async () => {
  const recipe = {
    merge_method: "ties",
    base_model: "base",
    models: [{ model: "a", parameters: { weight: 1, density: 1 } }],
  };
  const whole = await changes(recipe);
  const half = await changes({ ...recipe, lines: { alpha: 0.5 } });
  for (const name of NAMES) {
    half[name]!.forEach((value, i) => assertAlmostEquals(value, whole[name]![i]! / 2, 1e-6));
  }
});

Deno.test("what cannot be scaled is refused by name", async () => {
  const faults = async (recipe: Record<string, unknown>) => {
    const problem = await caughtProblem(() => Promise.resolve(parseRecipe(recipe, METHODS)));
    assertEquals(problem.kind, "invalid-recipe");
    return JSON.stringify(problem.members.errors);
  };
  const linear = { merge_method: "linear", models: [{ model: "a", parameters: { weight: 1 } }] };
  assertStringIncludes(
    await faults({ ...linear, lines: { alpha: 1 } }),
    "linear adds nothing to a base",
  );
  const ties = recipeOf("ties");
  for (
    const [lines, path] of [
      [{}, "lines.alpha"],
      [{ alpha: "some" }, "lines.alpha"],
      [{ alpha: Infinity }, "lines.alpha"],
      [{ alpha: 1, beta: "x" }, "lines.beta"],
      [{ alpha: 1, gamma: 1 }, "lines"],
      [3, "lines"],
    ] as const
  ) {
    assertStringIncludes(
      await faults({ ...ties, lines }),
      `"path":"${path}`,
      JSON.stringify(lines),
    );
  }
  const problem = await caughtProblem(() =>
    run({ ...recipeOf("tsv_m"), lines: { alpha: "auto" } })
  );
  assert(JSON.stringify(problem.members.errors).includes("give a number"));
});
