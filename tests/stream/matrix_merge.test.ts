import { assert, assertAlmostEquals, assertEquals, assertStringIncludes } from "@std/assert";
import type { TensorReport } from "../../core/stream/report.ts";
import { numbers } from "../algebra/dense.ts";
import { opened, planOf } from "../merge/opened.ts";
import { caughtProblem } from "../support/caught_problem.ts";
import {
  checkpointBytes,
  checkpointValues,
  mergeBytes,
  type TestCheckpoint,
} from "../support/merging.ts";

const DTYPES = { BF16: 2 ** -8, F16: 2 ** -11, F32: 2 ** -24 } as const;

/** A checkpoint with a matrix, a kernel, a vector and a scalar. */
function checkpoint(seed: number, dtype: keyof typeof DTYPES = "F32"): TestCheckpoint {
  const tensor = (shape: number[]) => ({
    dtype,
    shape,
    values: numbers(shape.reduce((a, b) => a * b, 1), seed + shape.length),
  });
  return {
    "mlp.weight": tensor([6, 9]),
    "lm_head.weight": tensor([5, 4]),
    "conv.weight": tensor([4, 3, 2]),
    "mlp.bias": tensor([7]),
    "scale": tensor([]),
  };
}

function recipe(parameters: Record<string, unknown> = {}, more: Record<string, unknown> = {}) {
  return {
    merge_method: "iso_c",
    base_model: "base",
    models: [{ model: "a" }, { model: "b" }],
    parameters,
    ...more,
  };
}

const files = { base: checkpoint(1), a: checkpoint(2), b: checkpoint(3) };

async function run(document: Record<string, unknown>, checkpoints = files) {
  const reports: Record<string, TensorReport> = {};
  const bytes = await mergeBytes(document, checkpoints, {
    onTensor: (report) => reports[report.name] = report,
  });
  return { values: await checkpointValues(bytes), reports, bytes };
}

function valuesOf(file: TestCheckpoint, name: string): number[] {
  return Array.from((file[name] as { values: ArrayLike<number> }).values, Math.fround);
}

/** `b + λ·(Σ δ_i)/2`. */
function meanOf(name: string, lambda: number): number[] {
  const [b, x, y] = [files.base, files.a, files.b].map((file) => valuesOf(file, name));
  return b!.map((value, i) => value + lambda * ((x![i]! - value) + (y![i]! - value)) / 2);
}

function close(actual: ArrayLike<number>, expected: readonly number[]): void {
  assertEquals(actual.length, expected.length);
  expected.forEach((value, i) => assertAlmostEquals(actual[i]!, value, 1e-6));
}

Deno.test("what is no matrix, or is excluded, takes the mean", async () => {
  const usual = await run(recipe({ lambda: 1.5 }));
  for (const name of ["conv.weight", "mlp.bias", "scale"]) {
    close(usual.values[name]!, meanOf(name, 1.5));
    assertEquals(usual.reports[name]!.reasons, ["fallback-mean"]);
  }
  assertEquals(usual.reports["mlp.weight"]!.reasons, []);
  assertEquals(usual.reports["mlp.weight"]!.statistics!.rank, 6);

  for (const matrix_exclude of ["head", ["nothing", "lm_"], ["*"]]) {
    const { values, reports } = await run(recipe({ matrix_exclude }));
    close(values["lm_head.weight"]!, meanOf("lm_head.weight", 1));
    assertEquals(reports["lm_head.weight"]!.reasons, ["fallback-mean"]);
    const isAll = matrix_exclude[0] === "*";
    assertEquals(reports["mlp.weight"]!.reasons, isAll ? ["fallback-mean"] : []);
  }

  const viewed = await run(recipe({ matrix_view: true, lambda: 1.5 }));
  assertEquals(viewed.reports["conv.weight"]!.reasons, []);
  const flat = Object.fromEntries(
    Object.entries(files).map(([name, file]) => [name, {
      w: { shape: [4, 6], values: valuesOf(file, "conv.weight") },
    }]),
  );
  const alone = await checkpointValues(await mergeBytes(recipe({ lambda: 1.5 }), flat));
  assertEquals(viewed.values["conv.weight"], alone.w);
});

Deno.test("16-bit inputs and outputs: half a unit in the last place of the result in float32", async () => {
  for (const merge_method of ["tsv_m", "iso_c", "iso_cts", "wudi", "ace"]) {
    for (const [dtype, unit] of Object.entries(DTYPES)) {
      const type = dtype as keyof typeof DTYPES;
      const inputs = { base: checkpoint(1, type), a: checkpoint(2, type), b: checkpoint(3, type) };
      const document = recipe({}, { merge_method, experimental: true });
      const single = await run({ ...document, out_dtype: "float32" }, inputs);
      const stored = await run(document, inputs);
      for (const [name, values] of Object.entries(single.values)) {
        values.forEach((value, i) => {
          const error = Math.abs(value - stored.values[name]![i]!);
          assert(error <= unit * Math.abs(value) + 2 ** -25, `${merge_method} ${dtype} ${name}`);
        });
      }
    }
  }
});

Deno.test("task vectors alone give a task vector; over a base they count as they are", async () => {
  const values = (file: TestCheckpoint) => ({
    w: { shape: [6, 9], values: valuesOf(file, "mlp.weight") },
  });
  const [base, a, b] = [files.base, files.a, files.b].map(values);
  const vectors = {
    a: checkpointBytes(a!, { kind: "task_vector" }),
    b: checkpointBytes(b!, { kind: "task_vector" }),
  };
  const merged = async (document: Record<string, unknown>, inputs: Record<string, Uint8Array>) =>
    (await checkpointValues(await mergeBytes(document, inputs))).w!;
  const { base_model: _, ...withoutBase } = recipe({ lambda: 0.5 });
  const alone = await merged(withoutBase, vectors);
  const zero = checkpointBytes({ w: { shape: [6, 9], values: Array(54).fill(0) } });
  const weights = { base: zero, a: checkpointBytes(a!), b: checkpointBytes(b!) };
  assertEquals(alone, await merged(recipe({ lambda: 0.5 }), weights));
  const added = await merged(recipe({ lambda: 0.5 }), { ...vectors, base: checkpointBytes(base!) });
  close(added, base!.w.values.map((value, i) => value + alone[i]!));
});

Deno.test("values that are not finite: an error, the base, or through everything", async () => {
  const spoiled = {
    ...files,
    b: { ...files.b, "mlp.weight": { shape: [6, 9], values: Array(54).fill(1).with(7, NaN) } },
  };
  const problem = await caughtProblem(() => run(recipe(), spoiled));
  assertEquals(problem.kind, "non-finite");
  assertStringIncludes(problem.message, 'tensor "mlp.weight" as source "b"');
  assertEquals(problem.members.index, 7);

  const copied = await run(recipe({}, { non_finite: "base" }), spoiled);
  assertEquals([...copied.values["mlp.weight"]!], valuesOf(files.base, "mlp.weight"));
  assertEquals(copied.reports["mlp.weight"]!.reasons, ["non-finite"]);
  assertEquals(copied.reports["mlp.weight"]!.action, "copy");

  const through = await run(recipe({}, { non_finite: "propagate" }), spoiled);
  assert(through.values["mlp.weight"]!.every(Number.isNaN));
  assert(through.values["mlp.bias"]!.every(Number.isFinite));
});

Deno.test("a result beyond the output type is an error, or its largest number", async () => {
  const large = {
    base: { w: { dtype: "F16", shape: [2, 2], values: [60000, 0, 0, 0] } },
    a: { w: { dtype: "F16", shape: [2, 2], values: [65000, 0, 0, 1] } },
  } as const;
  const document = { ...recipe({ lambda: 30 }), models: [{ model: "a" }] };
  const { kind } = await caughtProblem(() => mergeBytes(document, large));
  assertEquals(kind, "non-finite");
  const saturated = await mergeBytes({ ...document, saturate: true }, large);
  assertEquals((await checkpointValues(saturated)).w![0], 65504);
});

Deno.test("the plan states passes, memory and bytes of matrices, and refuses what does not fit", async () => {
  const shapes = { w: [64, 256] };
  const model = opened(shapes);
  const stated = (merge_method: string, memory?: number) => {
    const document = recipe({}, { merge_method, experimental: true });
    return planOf(document, { base: model, a: model, b: model }, {
      chunkMemory: 4096,
      ...(memory === undefined ? {} : { memory }),
    });
  };
  const matrix = 64 * 256;
  const singles = 3 * 4 * matrix;
  for (
    const [method, passes, least] of [
      ["tsv_m", 1, 8 * 2 * matrix],
      ["iso_c", 1, 8 * 4 * matrix],
      ["iso_cts", 2, 8 * 4 * matrix],
      ["wudi", 1, 8 * (2 * 256 ** 2 + 3 * matrix)],
      ["ace", 3, 8 * (2 * 256 ** 2 + 3 * matrix)],
    ] as const
  ) {
    const plan = stated(method);
    assertEquals(plan.passes, passes, method);
    assert(plan.peakMemory >= least + singles, `${method} ${plan.peakMemory}`);
    assert(plan.peakMemory <= 4 * least + singles, `${method} ${plan.peakMemory}`);
    assertEquals(plan.bytesIn, (2 * passes + 1) * 4 * matrix, method);
    assertEquals(stated(method, plan.peakMemory).peakMemory, plan.peakMemory);
    const problem = await caughtProblem(() => stated(method, plan.peakMemory - 1));
    assertEquals(problem.kind, "too-large");
    assertEquals(problem.members.tensor, "w");
    assertStringIncludes(problem.message, `current value is ${plan.peakMemory - 1}`);
  }
});

Deno.test("experimental methods must be asked for", async () => {
  const { kind, members } = await caughtProblem(() => run(recipe({}, { merge_method: "ace" })));
  assertEquals(kind, "invalid-recipe");
  assertEquals(members.errors?.map(({ path }) => path), ["experimental"]);
});
