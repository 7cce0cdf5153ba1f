import { checkDrawn } from "./drawn_cases.ts";
import { between } from "./moved_inputs.ts";

/** Where each is defined and not too steep. */
const DOMAINS: Readonly<Record<string, readonly [number, number]>> = {
  Exp: [-2, 2],
  Log: [0.3, 3],
  Sin: [-4, 4],
  Cos: [-4, 4],
  Erf: [-2, 2],
  Tan: [-1, 1],
  Asin: [-0.8, 0.8],
  Acos: [-0.8, 0.8],
  Atan: [-3, 3],
  Sinh: [-2, 2],
  Cosh: [-2, 2],
  Asinh: [-3, 3],
  Acosh: [1.4, 4],
  Atanh: [-0.8, 0.8],
};

/** Those that ONNX Runtime has in double precision. */
const DOUBLE = ["Exp", "Log", "Sin", "Cos"];

for (const [operator, [low, high]] of Object.entries(DOMAINS)) {
  Deno.test(`${operator}: central differences`, async () => {
    await checkDrawn(31, 2, (draw) => {
      const type = DOUBLE.includes(operator) ? "float64" : "float32";
      return { operator, inputs: [between(low, high, draw.input(draw.shape(0, 3, 3), type))] };
    });
  });
}
