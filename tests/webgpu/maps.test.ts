import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { inlineExecutor, workerPool } from "../../core/engine/pool.ts";
import { findAdapter } from "../../core/engine/webgpu/adapter.ts";
import { checkpointValues, mergeBytes, type TestCheckpoint } from "../support/merging.ts";
import { methodRecipe, MODEL_NAMES, PLAIN_METHODS } from "../support/method_recipes.ts";

/** Methods without a map in float32: matrices, maps in float64, or a copy. */
const ON_THE_PROCESSOR: readonly string[] = [
  "tsv_m",
  "iso_c",
  "iso_cts",
  "wudi",
  "ace",
  "pcb",
  "passthrough",
];
/** What float32 on a GPU may differ by, relative to the largest value. */
const TOLERANCE = 2e-6;

function checkpoint(seed: number): TestCheckpoint {
  let state = seed * 2654435761 >>> 0;
  const next = () => (state = Math.imul(state, 1664525) + 1013904223 >>> 0) / 2 ** 32 - 0.5;
  return Object.fromEntries(
    ["layers.0.w", "layers.1.w", "embed.w"].map((name) => [name, {
      dtype: "F32" as const,
      shape: [96, 64],
      values: Array.from({ length: 96 * 64 }, next),
    }]),
  );
}

const CHECKPOINTS: Record<string, TestCheckpoint> = Object.fromEntries(
  ["base", ...MODEL_NAMES].map((name, i) => [name, checkpoint(i + 1)]),
);

function recipeOf(method: string): Record<string, unknown> {
  const recipe = methodRecipe(method) as { models: { parameters: object }[] };
  const thinned = ["ties", "dare_ties", "dare_linear", "della", "della_linear", "breadcrumbs"];
  if (!thinned.includes(method)) return recipe;
  return {
    ...recipe,
    models: recipe.models.map((model) => ({
      ...model,
      parameters: { ...model.parameters, density: 0.4 },
    })),
  };
}

const used = (recipe: Record<string, unknown>) => {
  const named = (recipe.models as { model: string }[]).map(({ model }) => model);
  const names = recipe.base_model === undefined ? named : ["base", ...named];
  return Object.fromEntries(names.map((name) => [name, CHECKPOINTS[name]!]));
};

/** Counts what is given to GPUs of this thread while `run` runs. */
async function submissions(run: () => Promise<void>): Promise<number> {
  const { prototype } = GPUQueue;
  const { submit } = prototype;
  let count = 0;
  prototype.submit = function (...given) {
    count++;
    return submit.apply(this, given);
  };
  try {
    await run();
  } finally {
    prototype.submit = submit;
  }
  return count;
}

Deno.test("the host has an adapter, and it has a name", async () => {
  const adapter = await findAdapter();
  assert(adapter && adapter.name.length > 0);
  const executor = inlineExecutor("webgpu");
  const { name, software } = adapter;
  assertEquals(await executor.engine!(), { name: "webgpu", adapter: name, software });
  await executor.close();
});

Deno.test("every method gives on the GPU what it gives on the processor", async (t) => {
  const gpu = inlineExecutor("webgpu");
  const processor = inlineExecutor("wasm");
  for (const method of PLAIN_METHODS) {
    await t.step(method, async () => {
      const recipe = recipeOf(method);
      const reasons: string[] = [];
      let actual = new Uint8Array();
      const onFallback = (reason: string) => reasons.push(reason);
      const given = await submissions(async () => {
        actual = await mergeBytes(recipe, used(recipe), { executor: gpu, onFallback });
      });
      assertEquals(reasons, []);
      const expected = await mergeBytes(recipe, used(recipe), { executor: processor });
      if (ON_THE_PROCESSOR.includes(method)) assertEquals(given, 0);
      else assert(given > 0, "nothing was computed on the GPU");
      const [ours, theirs] = [await checkpointValues(actual), await checkpointValues(expected)];
      for (const [name, values] of Object.entries(theirs)) {
        const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
        const worst = values.reduce(
          (most, value, i) => Math.max(most, Math.abs(value - ours[name]![i]!)),
          0,
        );
        assert(worst <= TOLERANCE * largest, `${name} differs by ${worst} of ${largest}`);
      }
    });
  }
  await processor.close();
  await gpu.close();
});

Deno.test("the bytes do not depend on chunk size or workers", async () => {
  const single = inlineExecutor("webgpu");
  const pool = workerPool(2, "webgpu");
  try {
    for (const method of ["linear", "ties", "dare_ties", "slerp", "model_stock"]) {
      const recipe = recipeOf(method);
      const expected = await mergeBytes(recipe, used(recipe), { executor: single });
      const chunks = { executor: single, chunkElements: 1024 };
      assertEquals(await mergeBytes(recipe, used(recipe), chunks), expected);
      const reasons: string[] = [];
      const onFallback = (reason: string) => reasons.push(reason);
      const pooled = await mergeBytes(recipe, used(recipe), { executor: pool, onFallback });
      assertEquals(reasons, [], method);
      assertEquals(pooled, expected, method);
    }
    for (const executor of [single, pool]) {
      assertEquals((await executor.engine!()).fallback, undefined);
    }
  } finally {
    await pool.close();
    await single.close();
  }
});

Deno.test("many merges leave no buffers on the device", async () => {
  const executor = inlineExecutor("webgpu");
  let alive = 0;
  const { createBuffer } = GPUDevice.prototype;
  const { destroy } = GPUBuffer.prototype;
  GPUDevice.prototype.createBuffer = function (...given) {
    alive++;
    return createBuffer.apply(this, given);
  };
  GPUBuffer.prototype.destroy = function () {
    alive--;
    return destroy.apply(this);
  };
  try {
    const recipe = recipeOf("task_arithmetic");
    const merge = async (times: number) => {
      for (let i = 0; i < times; i++) await mergeBytes(recipe, used(recipe), { executor });
      return alive;
    };
    const before = await merge(10);
    const after = await merge(100);
    assert(after <= before + 4, `${after - before} buffers more than before`);
  } finally {
    GPUDevice.prototype.createBuffer = createBuffer;
    GPUBuffer.prototype.destroy = destroy;
    await executor.close();
  }
});

// The last one: the runtime of this thread has no device any more then.
Deno.test("where the device is lost, the merge goes on on the processor, and says why", async () => {
  const executor = inlineExecutor("webgpu");
  const recipe = recipeOf("ties");
  const expected = await mergeBytes(recipe, used(recipe));
  await mergeBytes(recipe, used(recipe), { executor });
  const { env } = await import("onnxruntime-web/webgpu");
  const device = await (env.webgpu as { device: Promise<GPUDevice> }).device;
  device.destroy();
  const reasons: string[] = [];
  const actual = await mergeBytes(recipe, used(recipe), {
    executor,
    onFallback: (reason) => reasons.push(reason),
  });
  assertEquals(actual, expected);
  assertStringIncludes(reasons[0]!, "device-failed: ");
  const choice = await executor.engine!();
  assertEquals([choice.name, choice.fallback], ["fused", reasons[0]]);
  await executor.close();
});
