import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import fc from "fast-check";
import { close, merge, type Parameters, runs, vector, weight } from "./merge_vectors.ts";

const TASK_VECTOR_METHODS = [
  "task_arithmetic",
  "ties",
  "dare_linear",
  "dare_ties",
  "breadcrumbs",
  "breadcrumbs_ties",
  "della_linear",
  "della",
] as const;

/** Densities leave room for the epsilon of della. */
const sparse = (method: string, density: number): Parameters => ({
  density,
  ...(method.startsWith("della") ? { epsilon: Math.min(density, 1 - density) / 2 } : {}),
});

Deno.test("the worked example of METHODS.md section 4", async () => {
  const base = [0, 0, 0, 0];
  const models = [[1, -2, 3, 0], [-1, -4, 1, 2]];
  const run = (perModel: Parameters[], parameters: Parameters = {}) =>
    merge("ties", base, models, perModel, parameters);
  assertEquals(await run([{}, {}]), [1, -3, 2, 2]);
  assertEquals(await run([{ density: 0.5 }, { density: 0.5 }]), [0, -3, 3, 2]);
  assertEquals(
    await run([{ density: 0.5 }, { density: 0.5 }], { lambda: 0.5 }),
    [0, -1.5, 1.5, 1],
  );
  assertEquals(await run([{}, { weight: -0.5 }]), [3, -4, 3, 2]);
});

Deno.test("identity: one model with weight and lambda 1 comes back, to the byte", async () => {
  await fc.assert(
    fc.asyncProperty(vector, vector, async (base, model) => {
      for (const method of [...TASK_VECTOR_METHODS, "linear", "passthrough"]) {
        assertEquals(await merge(method, base, [model]), model, method);
      }
    }),
    runs,
  );
});

Deno.test("idempotence: equal models give that model, to the byte", async () => {
  await fc.assert(
    fc.asyncProperty(vector, vector, weight, weight, async (base, model, u, v) => {
      const models = [model, model];
      const weights = [{ weight: u / 3 }, { weight: v / 3 }];
      assertEquals(await merge("linear", base, models, weights), model);
      for (const method of TASK_VECTOR_METHODS) {
        assertEquals(
          await merge(method, base, models, weights, { normalize: true }),
          model,
          method,
        );
      }
      assertEquals(await merge("model_stock", base, models), model);
    }),
    runs,
  );
});

Deno.test("shift: adding a constant to all inputs adds it to the result", async () => {
  await fc.assert(
    fc.asyncProperty(vector, vector, vector, weight, async (base, a, b, density) => {
      const shift = (values: readonly number[]) => values.map((value) => value + 4);
      for (const method of TASK_VECTOR_METHODS) {
        const given = [sparse(method, density), { ...sparse(method, density), weight: 0.5 }];
        close(
          await merge(method, shift(base), [shift(a), shift(b)], given),
          shift(await merge(method, base, [a, b], given)),
          3e-6,
        );
      }
    }),
    runs,
  );
});

Deno.test("homogeneity: a power of two scales the result exactly", async () => {
  await fc.assert(
    fc.asyncProperty(vector, vector, vector, weight, async (base, a, b, density) => {
      const scale = (values: readonly number[]) => values.map((value) => value * 4);
      for (const method of [...TASK_VECTOR_METHODS, "model_stock", "linear"]) {
        const given = TASK_VECTOR_METHODS.some((name) => name === method)
          ? [sparse(method, density), sparse(method, density)]
          : [];
        assertEquals(
          await merge(method, scale(base), [scale(a), scale(b)], given),
          scale(await merge(method, base, [a, b], given)),
          method,
        );
      }
    }),
    runs,
  );
});

Deno.test("permuting models with their parameters changes at most the last bits", async () => {
  await fc.assert(
    fc.asyncProperty(vector, vector, vector, weight, weight, async (base, a, b, u, v) => {
      for (const method of ["linear", "task_arithmetic", "ties", "model_stock"]) {
        const given = method === "model_stock" ? [] : [{ weight: u }, { weight: v }];
        close(
          await merge(method, base, [a, b], given),
          await merge(method, base, [b, a], [...given].reverse()),
        );
      }
    }),
    runs,
  );
});

Deno.test("lambda scales what is added to the base", async () => {
  await fc.assert(
    fc.asyncProperty(
      vector,
      vector,
      vector,
      fc.double({ min: -2, max: 2, noNaN: true }),
      async (base, a, b, lambda) => {
        for (const method of TASK_VECTOR_METHODS) {
          const given = [sparse(method, 0.5), sparse(method, 0.5)];
          const one = await merge(method, base, [a, b], given);
          const scaled = await merge(method, base, [a, b], given, { lambda });
          close(scaled, one.map((value, i) => base[i]! + lambda * (value - base[i]!)), 5e-6);
        }
      },
    ),
    runs,
  );
});

Deno.test("random masks: density 1 is task arithmetic, to the byte", async () => {
  await fc.assert(
    fc.asyncProperty(vector, vector, vector, async (base, a, b) => {
      const weights = [{ weight: 0.5 }, { weight: 0.75 }];
      assertEquals(
        await merge("dare_linear", base, [a, b], weights),
        await merge("task_arithmetic", base, [a, b], weights),
      );
    }),
    runs,
  );
});

Deno.test("random masks keep within five deviations of d·P, and follow the seed", async () => {
  const count = 50_000;
  const ones = new Array<number>(count).fill(1);
  const zeros = new Array<number>(count).fill(0);
  const kept = async (density: number, seed: number) => {
    const values = await merge("dare_linear", zeros, [ones], [{ density }], { rescale: false }, {
      more: { seed },
    });
    return values.filter((value) => value === 1).length;
  };
  for (const density of [0.1, 0.5, 0.9]) {
    const deviation = Math.sqrt(count * density * (1 - density));
    assert(Math.abs(await kept(density, 3) - density * count) < 5 * deviation);
  }
  assertEquals(await kept(0.5, 11), await kept(0.5, 11));
  assert(await kept(0.5, 11) !== await kept(0.5, 12));
});

Deno.test("inverse density keeps the mean, and l1 the sum of magnitudes", async () => {
  const values = Array.from({ length: 20_000 }, (_, i) => 1 + (i % 7) / 8);
  const zeros = values.map(() => 0);
  const total = (list: readonly number[]) => list.reduce((sum, value) => sum + value, 0);
  const mean = total(await merge("dare_linear", zeros, [values], [{ density: 0.5 }]));
  assert(Math.abs(mean / total(values) - 1) < 0.05);
  const l1 = await merge("dare_linear", zeros, [values], [{ density: 0.5 }], {
    rescale_mode: "l1",
  });
  assertAlmostEquals(total(l1) / total(values), 1, 1e-6);
  const ties = await merge("ties", zeros, [values], [{ density: 0.2 }], { rescale: true });
  assertAlmostEquals(total(ties) / total(values), 1, 1e-6);
});

Deno.test("ties: disjoint supports add up whatever the positive weights", async () => {
  const base = [1, 2, 3, 4];
  const models = [[1.5, 2, 3, 4], [1, 2.25, 3, 4], [1, 2, 3.75, 4]];
  const weights = [{ weight: 0.2 }, { weight: 3 }, { weight: 1 }];
  close(await merge("ties", base, models, weights), [1.5, 2.25, 3.75, 4]);
});

Deno.test("ties: sign_on and divide_by", async () => {
  const base = [0, 0];
  const models = [[1, 4], [-2, -1], [-2, 2]];
  const weights = [{ weight: 5 }, { weight: 1 }, { weight: 1 }];
  // Weighted: +5 −2 −2 > 0 keeps the first; raw: 1 − 2 − 2 < 0 keeps the others.
  assertEquals(
    await merge("ties", base, models, weights, { normalize: true }),
    [1, (20 + 2) / 6].map(Math.fround),
  );
  close(await merge("ties", base, models, weights, { sign_on: "raw" }), [-2, (20 + 2) / 6]);
  close(await merge("ties", base, models, weights, { divide_by: "count" }), [5, 11]);
});

Deno.test("slerp keeps the norm of vectors of equal norm, and swaps with t", async () => {
  const u = [3, 0, 0, 4];
  const v = [0, 5, 0, 0];
  const middle = await merge("slerp", u, [v], [], { t: 0.25 });
  assertAlmostEquals(Math.hypot(...middle), 5, 1e-5);
  close(middle, await merge("slerp", v, [u], [], { t: 0.75 }));
  assertEquals(await merge("slerp", u, [v], [], { t: 0 }), u);
  assertEquals(await merge("slerp", u, [v], [], { t: 1 }), v);
  close(await merge("slerp", u, [u.map((x) => -x)], [], { t: 0.25 }), u.map((x) => x / 2));
  close(await merge("slerp", [0, 0, 0, 0], [v], [], { t: 0.25 }), v.map((x) => x / 4));
});

Deno.test("model_stock: orthogonal task vectors give the base, parallel ones their mean", async () => {
  const base = [1, 1, 1, 1];
  assertEquals(await merge("model_stock", base, [[2, 1, 1, 1], [1, 2, 1, 1]]), base);
  close(await merge("model_stock", base, [[2, 1, 1, 1], [4, 1, 1, 1]]), [3, 1, 1, 1]);
  // n = 2: t = 2c / (1 + c) with c = 1/√2.
  const c = Math.SQRT1_2;
  const t = 2 * c / (1 + c);
  close(
    await merge("model_stock", [0, 0], [[2, 0], [1, 1]]),
    [t * 1.5, t * 0.5],
  );
  assertEquals(await merge("model_stock", base, [[2, 1, 1, 1], [0, 1, 1, 1]]), base);
});

Deno.test("linear: a common factor cancels when normalized, and weight 0 is absence", async () => {
  await fc.assert(
    fc.asyncProperty(vector, vector, weight, weight, async (a, b, u, v) => {
      close(
        await merge("linear", [], [a, b], [{ weight: u }, { weight: v }]),
        await merge("linear", [], [a, b], [{ weight: 8 * u }, { weight: 8 * v }]),
      );
      close(await merge("linear", [], [a, b], [{ weight: u }, { weight: 0 }]), a);
    }),
    runs,
  );
});
