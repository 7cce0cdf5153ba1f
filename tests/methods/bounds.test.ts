import { assert, assertEquals } from "@std/assert";
import type { MergeMethod, ParameterSpec } from "../../core/methods/method.ts";
import { METHODS } from "../../core/methods/mod.ts";
import { caughtProblem } from "../support/caught_problem.ts";
import { merge, type Parameters } from "./merge_vectors.ts";

/** What other parameters must be for a value to make sense. */
const COMPANIONS: Record<string, (value: unknown) => Parameters> = {
  epsilon: (value) => ({ density: 1 - Number(value) }),
  density: () => ({ epsilon: 0 }),
};

const base = [1, -2, 3, 0.5, 0, 4];
const models = [[2, -2, 1, 0.5, 1, 4.5], [1, -3, 4, 0.75, -1, 4], [0, -2, 3.5, 1, 0.5, 3]];

/** Merges with one parameter set, the rest as it must be. */
async function run(
  method: MergeMethod,
  name: string,
  spec: ParameterSpec,
  value: unknown,
): Promise<number[]> {
  const count = Math.min(Math.max(method.models.minimum, 3), method.models.maximum);
  const companions = Object.entries(COMPANIONS[name]?.(value) ?? {})
    .filter(([other]) => other in method.parameters && other !== name);
  const own = { [name]: value, ...Object.fromEntries(companions) };
  const isGlobal = (parameter: string) => method.parameters[parameter]!.scope === "global";
  const pick = (global: boolean) =>
    Object.fromEntries(Object.entries(own).filter(([key]) => isGlobal(key) === global));
  const required = name !== "t" && "t" in method.parameters ? { t: 0.5 } : {};
  const perModel = models.slice(0, count).map((_, i) => ({
    ...(method.name === "analogy" ? { role: "abc"[i] } : {}),
    // Weights of methods with statistics must not all be 0.
    ...(spec.scope === "model" && (i === 0 || !method.statistics) ? pick(false) : {}),
  }));
  return await merge(method.name, base, models.slice(0, count), perModel, {
    ...required,
    ...pick(true),
  }, { shape: [2, 3] });
}

/** Those of adapters have their own bounds test, in tests/adapters/. */
const merging = [...METHODS.values()].filter(({ factors }) => factors === undefined);

const numeric = merging.flatMap((method) =>
  Object.entries(method.parameters)
    .filter(([, { type }]) => type === "number" || type === "integer")
    .map(([name, spec]) => ({ method, name, spec }))
);

/** The least step that leaves a bound. */
function step(bound: number, { type }: ParameterSpec): number {
  if (type === "integer") return 1;
  return bound === 0 ? 2 ** -40 : Math.abs(bound) * 2 ** -50;
}

Deno.test("every bound: the value at it, just inside and just outside", async () => {
  for (const { method, name, spec } of numeric) {
    const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = spec;
    const inside: number[] = [];
    const outside: number[] = [NaN, Infinity, -Infinity];
    if (minimum !== undefined) {
      inside.push(minimum, minimum + step(minimum, spec));
      outside.push(minimum - step(minimum, spec));
    }
    if (maximum !== undefined) {
      inside.push(maximum, maximum - step(maximum, spec));
      outside.push(maximum + step(maximum, spec));
    }
    if (exclusiveMinimum !== undefined) {
      inside.push(exclusiveMinimum + step(exclusiveMinimum, spec));
      outside.push(exclusiveMinimum);
    }
    if (exclusiveMaximum !== undefined) {
      inside.push(exclusiveMaximum - step(exclusiveMaximum, spec));
      outside.push(exclusiveMaximum);
    }
    if (inside.length === 0) inside.push(-1.5, 0.25, 100);
    for (const value of inside) {
      const merged = await run(method, name, spec, value);
      assertEquals(merged.length, base.length);
      assert(merged.every(Number.isFinite), `${method.name}.${name} = ${value}: ${merged}`);
    }
    for (const value of outside) {
      const { kind, message } = await caughtProblem(() => run(method, name, spec, value));
      assertEquals(kind, "invalid-recipe", `${method.name}.${name} = ${value}`);
      assert(message.includes(name), message);
    }
  }
});

Deno.test("every boolean and every name of an enum works, other values are refused", async () => {
  for (const method of merging) {
    for (const [name, spec] of Object.entries(method.parameters)) {
      if (name === "role" || spec.type === "number" || spec.type === "integer") continue;
      const values = spec.type === "boolean"
        ? [true, false]
        : spec.type === "model"
        ? ["m0", ""]
        : spec.type === "filters"
        ? ["w", ["w"], ["x", "*"], []]
        : spec.values!;
      for (const value of values) {
        const merged = await run(method, name, spec, value);
        assert(merged.every(Number.isFinite), `${method.name}.${name} = ${value}`);
      }
      const wrong = spec.type === "filters" ? [3, "", [""], [true], {}] : [3, "no such name"];
      for (const value of wrong) {
        const { kind } = await caughtProblem(() => run(method, name, spec, value));
        assertEquals(kind, "invalid-recipe", `${method.name}.${name} = ${value}`);
      }
    }
  }
});

Deno.test("every default is inside the bounds, and every parameter is described", () => {
  for (const { method, name, spec } of numeric) {
    const { default: value, minimum, maximum, exclusiveMinimum, exclusiveMaximum } = spec;
    if (value === undefined) continue;
    const number = Number(value);
    const where = `${method.name}.${name}`;
    assert(number >= (minimum ?? -Infinity) && number <= (maximum ?? Infinity), where);
    assert(number > (exclusiveMinimum ?? -Infinity), where);
    assert(number < (exclusiveMaximum ?? Infinity), where);
    assert(/^[A-Z0-9].*\.$/.test(spec.description), `${where}: ${spec.description}`);
  }
});

Deno.test("the defaults are those of METHODS.md", () => {
  const defaults = (method: string, ...names: string[]) =>
    names.map((name) => METHODS.get(method)!.parameters[name]!.default);
  assertEquals(defaults("nuslerp", "weight", "nuslerp_flatten", "nuslerp_row_wise"), [
    1,
    true,
    false,
  ]);
  assertEquals(defaults("multislerp", "normalize_weights", "eps"), [true, 1e-8]);
  assertEquals(defaults("karcher", "max_iter", "tol"), [10, 1e-5]);
  assertEquals(defaults("task_arithmetic", "normalize", "rescale", "lambda"), [false, false, 1]);
  assertEquals(defaults("ties", "normalize", "rescale", "trim_scope"), [true, false, "tensor"]);
  for (const method of ["dare_linear", "dare_ties"]) {
    assertEquals(defaults(method, "normalize", "rescale", "rescale_mode"), [
      false,
      true,
      "inverse_density",
    ]);
  }
  for (const method of ["breadcrumbs", "breadcrumbs_ties"]) {
    assertEquals(defaults(method, "normalize", "rescale", "rescale_mode", "gamma"), [
      false,
      false,
      "l1",
      0.01,
    ]);
  }
  for (const [method, normalize] of [["della_linear", false], ["della", true]] as const) {
    assertEquals(defaults(method, "normalize", "rescale", "rescale_mode", "epsilon"), [
      normalize,
      true,
      "inverse_density",
      0.15,
    ]);
  }
  assertEquals(defaults("sce", "select_topk"), [1]);
  assertEquals(defaults("ramplus_tl", "epsilon", "r", "alpha"), [1e-5, 0.1, 0.2]);
  assertEquals(defaults("magmax", "lambda"), [0.5]);
  assertEquals(
    defaults("consensus", "lambda", "mask_lambda", "min_tasks", "mtl_scale", "task"),
    [0.3, 0.4, 2, 1, ""],
  );
  assertEquals(defaults("emr", "lambda", "task"), [1, ""]);
  assertEquals(defaults("pcb", "lambda", "ratio", "clip", "scope"), [1.2, 0.1, 1e-4, "model"]);
});
