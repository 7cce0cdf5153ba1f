import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import fc from "fast-check";
import type { ParameterSpec } from "../../core/methods/method.ts";
import { gradientAt, parameterResolver, type Settings } from "../../core/merge/parameters.ts";

const SPECS: Readonly<Record<string, ParameterSpec>> = {
  weight: { scope: "model", type: "number", default: 1, description: "" },
  density: { scope: "model", type: "number", description: "" },
  normalize: { scope: "global", type: "boolean", default: false, description: "" },
};

/** Resolves the parameters of a model for one tensor; missing ones are `"missing"`. */
function resolve(levels: readonly Settings[], tensor = "a.0.mlp", t = 0): Record<string, unknown> {
  const missing: Record<string, unknown> = {};
  const resolver = parameterResolver(SPECS, "model", levels);
  const found = resolver.resolve(tensor, t, (name) => missing[name] = "missing");
  return { ...found, ...missing };
}

Deno.test("parameterResolver() searches the levels in order, then takes the default", () => {
  assertEquals(resolve([{ weight: 2 }, { weight: 3, density: 0.5 }]), { weight: 2, density: 0.5 });
  assertEquals(resolve([{}, { density: 0.25 }]), { weight: 1, density: 0.25 });
  assertEquals(resolve([{}, {}]), { weight: 1, density: "missing" });
});

Deno.test("parameterResolver() keeps an explicit 0", () => {
  assertEquals(resolve([{ weight: 0, density: 0 }, { weight: 5 }]), { weight: 0, density: 0 });
});

Deno.test("parameterResolver() takes the first filter that matches, else the next level", () => {
  const levels: Settings[] = [
    { weight: [{ filter: "attn", value: 2 }, { filter: "mlp", value: 3 }] },
    { weight: { filter: "norm", value: 4 }, density: 1 },
    { weight: 5 },
  ];
  const weightOf = (tensor: string) => resolve(levels, tensor).weight;
  assertEquals(["x.attn", "x.mlp", "x.attn.mlp", "x.norm", "x.Mlp", "x"].map(weightOf), [
    2,
    3,
    2,
    4,
    5,
    5,
  ]);
});

Deno.test("parameterResolver() takes * and a filter left out for every tensor", () => {
  assertEquals(resolve([{ density: [{ filter: "*", value: 0.1 }] }]).density, 0.1);
  assertEquals(
    resolve([{ density: [{ filter: "attn", value: 0.1 }, { value: 0.2 }] }]).density,
    0.2,
  );
});

Deno.test("parameterResolver() takes gradients alone and under a filter", () => {
  const levels: Settings[] = [{
    weight: [0, 1],
    density: [{ filter: "mlp", value: [0, 0.5, 0.25] }, { value: 1 }],
  }];
  assertEquals(resolve(levels, "mlp", 0.75), { weight: 0.75, density: 0.375 });
  assertEquals(resolve(levels, "attn", 0.25), { weight: 0.25, density: 1 });
});

Deno.test("parameterResolver() takes 0 and 1 for booleans", () => {
  const resolver = parameterResolver(SPECS, "global", [{ normalize: 1 }]);
  assertEquals(resolver.resolve("x", 0, () => {}), { normalize: true });
});

Deno.test("parameterResolver() tells which filters were of use", () => {
  const resolver = parameterResolver(SPECS, "model", [{
    density: [{ filter: "mlp", value: 0 }, { filter: "mpl", value: 1 }, { value: 1 }],
  }]);
  resolver.resolve("a.mlp", 0, () => {});
  resolver.resolve("b", 0, () => {});
  assertEquals(resolver.filters.map(({ filter, used }) => [filter, used]), [
    ["mlp", true],
    ["mpl", false],
  ]);
});

const gradient = fc.array(fc.double({ min: -100, max: 100, noNaN: true }), {
  minLength: 1,
  maxLength: 9,
});

Deno.test("gradientAt() meets every entry at its place and lies between neighbours", () => {
  fc.assert(fc.property(gradient, fc.double({ min: 0, max: 1, noNaN: true }), (values, t) => {
    const last = values.length - 1;
    values.forEach((value, i) => {
      assertAlmostEquals(gradientAt(values, last === 0 ? t : i / last), value, 1e-9);
    });
    const low = values[Math.floor(t * last)]!;
    const high = values[Math.min(last, Math.floor(t * last) + 1)]!;
    const value = gradientAt(values, t);
    assert(value >= Math.min(low, high) - 1e-9 && value <= Math.max(low, high) + 1e-9);
  }));
});

Deno.test("gradientAt() of evenly spaced entries is the straight line", () => {
  fc.assert(fc.property(
    fc.integer({ min: 2, max: 9 }),
    fc.double({ min: 0, max: 1, noNaN: true }),
    (length, t) => {
      const values = Array.from({ length }, (_, i) => i / (length - 1));
      assertAlmostEquals(gradientAt(values, t), t, 1e-12);
    },
  ));
});
