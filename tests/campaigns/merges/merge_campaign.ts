/**
 * Random merges: whatever the method, its parameters, shapes and element types, the result must not depend on how
 * the tensor is cut into chunks, on the types that exact values are stored in, or (but for rounding) on the engine.
 *
 * @module
 */
import fc from "fast-check";
import type { ChunkExecutor } from "../../../core/engine/chunk_job.ts";
import { inlineExecutor } from "../../../core/engine/pool.ts";
import type { MergeMethod, ParameterSpec } from "../../../core/methods/method.ts";
import { METHODS } from "../../../core/methods/mod.ts";
import { Problem } from "../../../core/problem.ts";
import { checkpointBytes, checkpointValues, mergeBytes } from "../../support/merging.ts";

/** How much is merged. */
export interface CampaignOptions {
  readonly merges: number;
  readonly seed: number;
  /** Runs the merges that are compared with those in one chunk; the fused engine if absent. */
  readonly executor?: ChunkExecutor;
}

/** What was merged and found. */
export interface CampaignReport {
  readonly merges: number;
  /** Merges that were refused, as their parameters do not fit together. */
  readonly refused: number;
  readonly findings: readonly string[];
}

/** One merge. */
interface Case {
  readonly method: MergeMethod;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly models: number;
  readonly base: boolean;
  readonly shape: readonly number[];
  /** One for each checkpoint, in turn. */
  readonly types: readonly Float[];
  readonly out: Float;
  /** What values are rounded to: 16 parts, exact in every type; so many that some are equal; or 0, not at all. */
  readonly parts: 16 | 131_072 | 0;
  /** Share of the elements that a model has in common with the base. */
  readonly common: number;
  readonly seed: number;
}

type Float = "BF16" | "F16" | "F32";
type Files = Record<string, Uint8Array>;

const FLOATS: readonly Float[] = ["BF16", "F16", "F32"];
const TENSOR = "layers.0.weight";
/** Around tiles and chunks: rows that are long, short, and longer than a tile. */
const SHAPES = [
  ...[[], [1], [16_385], [70_001], [37, 1031], [3, 40_001], [64, 512], [513, 65], [20_000, 2]],
  ...[[1, 20_000], [2, 3, 5000], [5, 7, 3, 111]],
];
/** Of matrices whose whole algebra is done at once. */
const MATRICES = [[7, 33], [64, 48], [31, 130]];
const CHUNKS = [4096, 61_440];
/** Largest difference between engines, by the largest value: rounding of the arithmetic and of the type. */
const ROUNDING: Readonly<Record<Float, number>> = { BF16: 2 ** -7, F16: 2 ** -10, F32: 2e-6 };

/** Methods that need nothing but checkpoints. */
const METHODS_ALONE = [...METHODS.values()].filter(({ statistics, factors }) =>
  statistics === undefined && factors === undefined
);

function valueOf(spec: ParameterSpec): fc.Arbitrary<unknown> {
  const { type, minimum = -1, maximum = minimum + 2, exclusiveMinimum, exclusiveMaximum } = spec;
  switch (type) {
    case "boolean":
      return fc.boolean();
    case "enum":
      return fc.constantFrom(...spec.values!);
    case "integer":
      return fc.integer({ min: exclusiveMinimum ?? minimum, max: maximum });
    case "number": {
      const [min, max] = [exclusiveMinimum ?? minimum, exclusiveMaximum ?? maximum];
      return fc.double({ min, max, noNaN: true, minExcluded: exclusiveMinimum !== undefined })
        .map((value) => Math.round(value * 64) / 64)
        .filter((value) => value > (exclusiveMinimum ?? -Infinity))
        .filter((value) => value < (exclusiveMaximum ?? Infinity));
    }
    default:
      return fc.constant(undefined);
  }
}

/** Some of the parameters of a method. */
function parametersOf({ parameters }: MergeMethod): fc.Arbitrary<Record<string, unknown>> {
  const all = Object.fromEntries(
    Object.entries(parameters).map(([name, spec]) => [name, valueOf(spec)]),
  );
  return fc.record(all, { requiredKeys: [] }).map((given) =>
    Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
  );
}

const cases: fc.Arbitrary<Case> = fc.constantFrom(...METHODS_ALONE).chain((method) => {
  const { minimum, maximum } = method.models;
  const models = fc.integer({ min: Math.max(minimum, 1), max: Math.min(maximum, minimum + 3) });
  const isWhole = ["tsv_m", "iso_c", "iso_cts", "wudi", "ace"].includes(method.name);
  return fc.record({
    method: fc.constant(method),
    parameters: parametersOf(method),
    models,
    base: method.base === "required" ? fc.constant(true) : fc.boolean(),
    shape: fc.constantFrom(...(isWhole ? MATRICES : SHAPES)),
    types: fc.array(fc.constantFrom(...FLOATS), { minLength: 1, maxLength: 3 }),
    out: fc.constantFrom(...FLOATS),
    parts: fc.constantFrom(16 as const, 16 as const, 131_072 as const, 0 as const),
    common: fc.constantFrom(0, 0, 0.6),
    seed: fc.nat(),
  });
});

/** The values of the base, and of the models around it. */
function valuesOf({ models, shape, parts, common, seed }: Case): Float32Array[] {
  let state = seed >>> 0;
  const draw = () => {
    state = Math.imul(state, 1664525) + 1013904223 >>> 0;
    return (state >>> 8) / 2 ** 24 - 0.5;
  };
  const step = (scale: number) =>
    scale * (parts === 0 ? draw() : Math.round(draw() * parts) / parts);
  const count = shape.reduce((a, b) => a * b, 1);
  const base = Float32Array.from({ length: count }, () => step(1));
  const around = Array.from(
    { length: models },
    () => base.map((value) => draw() + 0.5 < common ? value : value + step(0.25)),
  );
  return [base, ...around];
}

/** The recipe of a case, with its checkpoints in its own types and in float32. */
function mergeOf(each: Case): { recipe: Record<string, unknown>; files: Files; plain: Files } {
  const { method, parameters, models, base, shape, types, out } = each;
  const names = ["base", ...Array.from({ length: models }, (_, i) => `m${i}`)];
  const values = valuesOf(each);
  const used = base ? names : names.slice(1);
  const filesOf = (typeOf: (at: number) => Float): Files =>
    Object.fromEntries(used.map((name) => {
      const at = names.indexOf(name);
      const tensor = { dtype: typeOf(at), shape, values: values[at]! };
      return [name, checkpointBytes({ [TENSOR]: tensor })];
    }));
  return {
    recipe: {
      merge_method: method.name,
      ...(base ? { base_model: "base" } : {}),
      models: names.slice(1).map((model) => ({ model })),
      parameters,
      experimental: method.experimental ?? false,
      seed: 5,
      out_dtype: out,
    },
    files: filesOf((at) => types[at % types.length]!),
    plain: filesOf(() => "F32"),
  };
}

/** How far apart two results are, by the largest value. */
async function apart(a: Uint8Array, b: Uint8Array): Promise<number> {
  const [left, right] = [await checkpointValues(a), await checkpointValues(b)];
  const [x, y] = [left[TENSOR]!, right[TENSOR]!];
  let [most, largest] = [0, 1e-3];
  x.forEach((value, i) => {
    largest = Math.max(largest, Math.abs(value));
    most = Math.max(most, Math.abs(value - y[i]!));
  });
  return most / largest;
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/** Runs the campaign: the same merges for the same options. */
export async function mergeCampaign(
  { merges, seed, executor }: CampaignOptions,
): Promise<CampaignReport> {
  const [alone, runtime] = [inlineExecutor("fused"), inlineExecutor("wasm")];
  const findings: string[] = [];
  let refused = 0;
  for (const each of fc.sample(cases, { numRuns: merges, seed })) {
    const { recipe, files, plain } = mergeOf(each);
    const { shape, types, parts, common, out } = each;
    const find = (what: string) =>
      findings.push(
        `${what}: ${JSON.stringify({ recipe, shape, types, parts, common, of: each.seed })}`,
      );
    try {
      const whole = await mergeBytes(recipe, files, { executor: alone, chunkElements: 2 ** 20 });
      for (const chunkElements of CHUNKS) {
        const cut = await mergeBytes(recipe, files, { executor: executor ?? alone, chunkElements });
        if (!sameBytes(whole, cut)) find(`chunks of ${chunkElements} elements`);
      }
      if (parts === 16) {
        const same = await mergeBytes(recipe, plain, { executor: alone, chunkElements: 2 ** 20 });
        if (!sameBytes(whole, same)) find("element types");
      }
      const other = await mergeBytes(recipe, files, { executor: runtime, chunkElements: 8192 });
      const distance = await apart(whole, other);
      if (!(distance <= ROUNDING[out])) find(`engines are ${distance} apart`);
    } catch (error) {
      if (error instanceof Problem && error.kind !== "internal") refused++;
      else find(`failed with ${error}`);
    }
  }
  await alone.close();
  await runtime.close();
  return { merges, refused, findings };
}
