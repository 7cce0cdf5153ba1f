import { assert } from "@std/assert";
import { decodeTo, encodeFrom } from "../../core/tensor/codec.ts";
import type { DType } from "../../core/tensor/dtype.ts";
import { checkpointBytes, checkpointValues, mergeBytes } from "../support/merging.ts";
import { karcher, multislerp, nuslerp } from "./reference/averages.ts";
import {
  arceeFusion,
  breadcrumbs,
  dellaLinear,
  nearswap,
  ram,
  sce,
} from "./reference/task_vectors.ts";
import type { Inputs } from "./reference/vectors.ts";
import {
  analogy,
  consensus,
  emr,
  type Flat,
  magmax,
  negation,
  pcb,
  tiesOfModel,
} from "./reference/whole_model.ts";

/** In the order of their names, which is the order of the whole model. */
const SHAPES: Readonly<Record<string, readonly number[]>> = {
  "a.weight": [9, 130],
  "b.kernel": [4, 3, 5, 5],
  "c.bias": [67],
  "d.tall": [700, 11],
};
const NAMES = Object.keys(SHAPES);
const MODELS = ["m0", "m1", "m2"];
const SEED = 5;
/** Spacing of the numbers just above 1, and the least exponent of a normal number. */
const TYPES = {
  F32: { step: 2 ** -23, least: -126 },
  BF16: { step: 2 ** -7, least: -126 },
  F16: { step: 2 ** -10, least: -14 },
} as const;

type Values = Record<string, number[]>;

/** Values of about normal distribution, as the type holds them. */
function checkpointOf(seed: number, dtype: DType, around?: Values): Values {
  let state = seed;
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32 - 0.5;
  };
  return Object.fromEntries(NAMES.map((name) => {
    const size = SHAPES[name]!.reduce((a, b) => a * b, 1);
    const values = Float32Array.from(
      { length: size },
      (_, j) => (around ? around[name]![j]! : 0) + (next() + next() + next()) * (around ? 0.3 : 1),
    );
    const bytes = new Uint8Array(size * (dtype === "F32" ? 4 : 2));
    encodeFrom(dtype, values, bytes, { saturate: false });
    decodeTo(dtype, bytes, values);
    return [name, [...values]];
  }));
}

/** A merge and what it should give: for each tensor alone, or for the whole model as one vector. */
interface Case {
  readonly method: string;
  readonly models?: number;
  readonly base?: boolean;
  readonly perModel?: readonly Record<string, unknown>[];
  readonly parameters?: Record<string, unknown>;
  readonly tensor?: (inputs: Inputs) => number[] | Promise<number[]>;
  readonly model?: (flat: Flat) => number[];
}

const weights = [0.5, 1.25, 0.75];
const perModel = weights.map((weight) => ({ weight }));

const cases: readonly Case[] = [
  { method: "negation", models: 1, parameters: { lambda: 0.7 }, model: (f) => negation(f, 0.7) },
  {
    method: "analogy",
    perModel: [{ role: "b" }, { role: "a" }, { role: "c" }],
    parameters: { lambda: 0.6 },
    model: (f) => analogy(f, ["b", "a", "c"], 0.6),
  },
  { method: "magmax", perModel, model: (f) => magmax(f, weights, 0.5) },
  {
    method: "consensus",
    perModel: weights.map((weight, i) => ({ weight, mask_lambda: 0.3 + i / 10 })),
    parameters: { mtl_scale: 0.9 },
    model: (f) =>
      consensus(f, {
        weights,
        lambda: 0.3,
        maskLambdas: [0.3, 0.4, 0.5],
        minTasks: 2,
        mtlScale: 0.9,
      }),
  },
  {
    method: "consensus",
    perModel,
    parameters: { task: "m1", mtl_scale: 1.5 },
    model: (f) =>
      consensus(f, {
        weights,
        lambda: 1,
        maskLambdas: [0.4, 0.4, 0.4],
        minTasks: 2,
        mtlScale: 1.5,
        task: 1,
      }),
  },
  { method: "emr", perModel, parameters: { lambda: 0.8 }, model: (f) => emr(f, weights, 0.8) },
  { method: "emr", perModel, parameters: { task: "m2" }, model: (f) => emr(f, weights, 1, 2) },
  {
    method: "pcb",
    perModel,
    model: (f) => pcb(f, { weights, lambda: 1.2, ratio: 0.1, clip: 1e-4 }),
  },
  {
    method: "pcb",
    perModel,
    parameters: { scope: "tensor", ratio: 0.3, clip: 0.02, lambda: 1 },
    tensor: (inputs) => pcb(inputs, { weights, lambda: 1, ratio: 0.3, clip: 0.02 }),
  },
  {
    method: "ties",
    perModel: weights.map((weight, i) => ({ weight, density: [0.2, 1, 0.35][i] })),
    parameters: { trim_scope: "model", lambda: 0.9 },
    model: (f) => tiesOfModel(f, weights, [0.2, 1, 0.35], 0.9),
  },
  {
    method: "breadcrumbs",
    perModel: weights.map((weight) => ({ weight, density: 0.6, gamma: 0.1 })),
    tensor: (inputs) => breadcrumbs(inputs, weights, 0.6, 0.1),
  },
  {
    method: "della_linear",
    perModel: weights.map((weight) => ({ weight, density: 0.5, epsilon: 0.25 })),
    tensor: (inputs) => dellaLinear(inputs, weights, 0.5, 0.25, SEED),
  },
  { method: "sce", tensor: (inputs) => sce(inputs, 1) },
  { method: "sce", parameters: { select_topk: 0.3 }, tensor: (inputs) => sce(inputs, 0.3) },
  { method: "ram", parameters: { epsilon: 0.2 }, tensor: (inputs) => ram(inputs, 0.2) },
  {
    method: "ramplus_tl",
    parameters: { epsilon: 0.2, r: 0.5, alpha: 2 },
    tensor: (inputs) => ram(inputs, 0.2, 0.5, 2),
  },
  {
    method: "nearswap",
    models: 1,
    parameters: { t: 0.1 },
    tensor: (inputs) => nearswap(inputs, 0.1),
  },
  { method: "arcee_fusion", models: 1, tensor: arceeFusion },
  ...(["tensor", "rows", "columns"] as const).flatMap((along) =>
    [true, false].map((base): Case => ({
      method: "nuslerp",
      models: 2,
      base,
      perModel: [{ weight: 1 }, { weight: 3 }],
      parameters: { nuslerp_flatten: along === "tensor", nuslerp_row_wise: along === "columns" },
      tensor: (inputs) => nuslerp(inputs, 0.75, along, base),
    }))
  ),
  ...[true, false].map((base): Case => ({
    method: "multislerp",
    base,
    perModel,
    parameters: { normalize_weights: false },
    tensor: (inputs) => multislerp(inputs, weights, base),
  })),
  {
    method: "karcher",
    base: false,
    parameters: { tol: 1e-7, max_iter: 50 },
    tensor: (inputs) => karcher(inputs, 50, 1e-7),
  },
];

/** Runs a case; answers the worst error in units of what is allowed. */
async function worstError(test: Case, dtype: keyof typeof TYPES, out: keyof typeof TYPES) {
  const names = MODELS.slice(0, test.models ?? 3);
  const base = checkpointOf(1, dtype);
  const models = names.map((_, i) => checkpointOf(i + 2, dtype, base));
  const file = (values: Values) =>
    checkpointBytes(Object.fromEntries(
      NAMES.map((name) => [name, { dtype, shape: SHAPES[name]!, values: values[name]! }]),
    ));
  const bytes = await mergeBytes({
    merge_method: test.method,
    ...(test.base === false ? {} : { base_model: "base" }),
    models: names.map((model, i) => ({ model, parameters: test.perModel?.[i] ?? {} })),
    parameters: test.parameters ?? {},
    out_dtype: out,
    seed: SEED,
  }, {
    ...(test.base === false ? {} : { base: file(base) }),
    ...Object.fromEntries(names.map((name, i) => [name, file(models[i]!)])),
  });
  const actual = await checkpointValues(bytes);
  const expected = await expectedOf(test, base, models, names);
  const { step, least } = TYPES[out];
  let worst = 0;
  for (const name of NAMES) {
    expected[name]!.forEach((value, j) => {
      const exponent = Math.max(Math.floor(Math.log2(Math.abs(value) || 2 ** least)), least);
      const size = Math.abs(base[name]![j]!) +
        models.reduce((sum, model) => sum + Math.abs(model[name]![j]!), 0);
      const allowed = step * 2 ** exponent / 2 + 16 * 2 ** -24 * size;
      worst = Math.max(worst, Math.abs(actual[name]![j]! - value) / allowed);
    });
  }
  return worst;
}

async function expectedOf(
  test: Case,
  base: Values,
  models: readonly Values[],
  modelNames: readonly string[],
): Promise<Values> {
  if (test.model) {
    const flat = (values: Values) => NAMES.flatMap((name) => values[name]!);
    const merged = test.model({ base: flat(base), models: models.map(flat) });
    let at = 0;
    return Object.fromEntries(
      NAMES.map((name) => [name, merged.slice(at, at += base[name]!.length)]),
    );
  }
  const entries = NAMES.map(async (name) =>
    [
      name,
      await test.tensor!({
        name,
        shape: SHAPES[name]!,
        base: base[name]!,
        models: models.map((model) => model[name]!),
        modelNames,
      }),
    ] as const
  );
  return Object.fromEntries(await Promise.all(entries));
}

for (
  const [dtype, out] of [["F32", "F32"], ["BF16", "BF16"], ["F16", "F16"], ["BF16", "F32"]] as const
) {
  Deno.test(`${dtype} to ${out}: half a unit in the last place of a double-precision reference`, async () => {
    for (const test of cases) {
      const worst = await worstError(test, dtype, out);
      assert(
        worst <= 1,
        `${test.method} ${JSON.stringify(test.parameters)}: ${worst} times the bound`,
      );
    }
  });
}
