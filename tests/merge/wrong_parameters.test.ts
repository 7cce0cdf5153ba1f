import { assertEquals } from "@std/assert";
import { METHODS } from "../../core/methods/mod.ts";
import { parseRecipe } from "../../core/merge/recipe.ts";
import { caughtProblem } from "../support/caught_problem.ts";

const TIES = { merge_method: "ties", base_model: "base", models: [{ model: "a" }, { model: "b" }] };
const SLERP = {
  merge_method: "slerp",
  base_model: "base",
  models: [{ model: "base" }, { model: "a" }],
  parameters: { t: 0.5 },
};

/** What is wrong, the document, and its only fault. */
const CASES: readonly [name: string, document: unknown, path: string, message: string][] = [
  [
    "an unknown parameter",
    { ...TIES, parameters: { lamda: 1 } },
    "parameters.lamda",
    'Cannot use the parameter as the method has none of this name, did you mean "lambda": ' +
    'current value is "lamda"',
  ],
  [
    "an unknown parameter of a model",
    { ...TIES, models: [{ model: "a" }, { model: "b", parameters: { densty: 0.5 } }] },
    "models[1].parameters.densty",
    'Cannot use the parameter as the method has none of this name, did you mean "density": ' +
    'current value is "densty"',
  ],
  [
    "a global parameter under a model",
    { ...TIES, models: [{ model: "a", parameters: { normalize: true } }] },
    "models[0].parameters.normalize",
    "Cannot set normalize for one model as it belongs to the whole merge and must stand under the " +
    "top-level parameters: current value is true",
  ],
  [
    "a density beyond 1",
    { ...TIES, parameters: { density: 1.5 } },
    "parameters.density",
    "Cannot use density as it must be a number in [0, 1]: current value is 1.5",
  ],
  [
    "a weight that is a string",
    { ...TIES, parameters: { weight: "high" } },
    "parameters.weight",
    'Cannot use weight as it must be a finite number: current value is "high"',
  ],
  [
    "an infinite weight",
    { ...TIES, parameters: { weight: Infinity } },
    "parameters.weight",
    "Cannot use weight as it must be a finite number: current value is Infinity",
  ],
  [
    "a null parameter",
    { ...TIES, parameters: { weight: null } },
    "parameters.weight",
    "Cannot use weight as it must be a finite number: current value is null",
  ],
  [
    "a bad number inside a gradient",
    { ...TIES, parameters: { density: [0.1, 2, 0.3] } },
    "parameters.density[1]",
    "Cannot use density as it must be a number in [0, 1]: current value is 2",
  ],
  [
    "a bad number inside a filter's gradient",
    { ...TIES, parameters: { density: [{ filter: "mlp", value: [0.1, -1] }, { value: 1 }] } },
    "parameters.density[0].value[1]",
    "Cannot use density as it must be a number in [0, 1]: current value is -1",
  ],
  [
    "an empty gradient",
    { ...TIES, parameters: { weight: [] } },
    "parameters.weight",
    "Cannot use weight as it must be given by at least one number: current value is []",
  ],
  [
    "a gradient of booleans",
    { ...TIES, parameters: { normalize: [0, 1] } },
    "parameters.normalize",
    "Cannot vary normalize over the layers as it is no real number but must be true or false: " +
    "current value is [0,1]",
  ],
  [
    "a boolean that is 2",
    { ...TIES, parameters: { normalize: 2 } },
    "parameters.normalize",
    "Cannot use normalize as it must be true or false: current value is 2",
  ],
  [
    "an unknown word of an enum",
    { ...TIES, parameters: { sign_on: "row" } },
    "parameters.sign_on",
    'Cannot use sign_on as it must be "weighted" or "raw": current value is "row"',
  ],
  [
    "numbers among filters",
    { ...TIES, parameters: { weight: [{ filter: "mlp", value: 1 }, 0.5] } },
    "parameters.weight[1]",
    "Cannot use this entry of weight as it must be a map { filter, value } like its neighbours in " +
    "the list: current value is 0.5",
  ],
  [
    "a filter without value",
    { ...TIES, parameters: { weight: [{ filter: "mlp" }] } },
    "parameters.weight[0]",
    'Cannot use this entry of weight as its value is missing: current value is {"filter":"mlp"}',
  ],
  [
    "a filter that is a number",
    { ...TIES, parameters: { weight: { filter: 3, value: 1 } } },
    "parameters.weight.filter",
    "Cannot use filter as it must be a part of tensor names, or *: current value is 3",
  ],
  [
    "a misspelt key beside a value",
    { ...TIES, parameters: { weight: [{ fliter: "mlp", value: 1 }] } },
    "parameters.weight[0].fliter",
    'Cannot use the key as only filter and value may stand here, did you mean "filter": ' +
    'current value is "fliter"',
  ],
  [
    "a required parameter left out",
    { ...SLERP, parameters: {} },
    "parameters.t",
    "Cannot merge as slerp needs the parameter t: current value is undefined",
  ],
  [
    "a matrix option of a method that has none",
    { ...TIES, parameters: { matrix_exclude: ["lm_head"] } },
    "parameters.matrix_exclude",
    "Cannot use the parameter as the method has none of this name: " +
    'current value is "matrix_exclude"',
  ],
];

for (const [name, document, path, message] of CASES) {
  Deno.test(`parseRecipe() names ${name}`, async () => {
    const problem = await caughtProblem(() => parseRecipe(document, METHODS));
    assertEquals(problem.members.errors, [{ path, message }]);
    assertEquals(problem.kind, "invalid-recipe");
    assertEquals(problem.message, message);
  });
}
