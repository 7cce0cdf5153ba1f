import { type CheckedInput, checkGradient } from "../gradient_check.ts";
import { numbers } from "../../support/small_model.ts";

function input(shape: number[], seed: number): CheckedInput {
  const count = shape.reduce((product, size) => product * size, 1);
  return { type: "float64", shape, values: numbers(count, seed) };
}

const CASES: readonly [equation: string, ...shapes: number[][]][] = [
  ["ij,jk->ik", [2, 3], [3, 2]],
  ["ij,jk", [2, 3], [3, 2]],
  ["bihd,bjhd->bhij", [2, 2, 1, 3], [2, 3, 1, 3]],
  ["...ij,...jk->...ik", [2, 3, 2, 3], [2, 3, 3, 2]],
  ["i,j,k->ijk", [2], [3], [2]],
  ["ijk->i", [2, 3, 2]],
  ["ij->ji", [2, 3]],
  ["ij->", [2, 3]],
  ["bii->bi", [2, 3, 3]],
  ["bii->b", [2, 3, 3]],
  ["ii,ij->j", [3, 3], [3, 2]],
  ["bihd,def,bihf->bie", [1, 2, 2, 2], [2, 3, 2], [1, 2, 2, 2]],
  ["ab,cd->ac", [2, 3], [2, 2]],
];

for (const [equation, ...shapes] of CASES) {
  Deno.test(`Einsum ${equation}`, () =>
    checkGradient({
      operator: "Einsum",
      attributes: { equation },
      inputs: shapes.map(input),
    }));
}
