import { assertAlmostEquals, assertEquals } from "@std/assert";
import fc from "fast-check";
import { caughtProblem } from "../support/caught_problem.ts";
import { close, merge, runs, vector, weight } from "./merge_vectors.ts";

const norm = (v: readonly number[]) => Math.hypot(...v);
const scaled = (v: readonly number[], by: number) => v.map((value) => value * by);
const shape = [4, 6];

Deno.test("one model comes back, and equal models give that model, to the byte", async () => {
  await fc.assert(
    fc.asyncProperty(vector, vector, weight, weight, async (base, x, u, v) => {
      for (const named of [true, false]) {
        const form = { base: named };
        for (const method of ["nuslerp", "multislerp", "karcher"]) {
          const one = await merge(method, base, [x], [], {}, form);
          assertEquals(one, x, method);
        }
        const weights = [{ weight: u }, { weight: v }];
        for (const method of ["nuslerp", "multislerp"]) {
          assertEquals(await merge(method, base, [x, x], weights, {}, form), x, method);
        }
      }
      assertEquals(await merge("karcher", base, [x, x, x]), x);
    }),
    runs,
  );
});

Deno.test("permutation, homogeneity and, with a base, shift", async () => {
  await fc.assert(
    fc.asyncProperty(vector, vector, vector, weight, weight, async (base, a, b, u, v) => {
      const weights = [{ weight: u }, { weight: v }];
      for (const method of ["nuslerp", "multislerp", "karcher"]) {
        const given = method === "karcher" ? [] : weights;
        for (const named of [true, false]) {
          const form = { base: named };
          const merged = await merge(method, base, [a, b], given, {}, form);
          close(await merge(method, base, [b, a], [...given].reverse(), {}, form), merged, 2e-6);
          const four = [scaled(a, 4), scaled(b, 4)];
          close(
            await merge(method, scaled(base, 4), four, given, {}, form),
            scaled(merged, 4),
            8e-6,
          );
        }
        if (method === "karcher") continue;
        const shift = (values: readonly number[]) => values.map((value) => value + 4);
        close(
          await merge(method, shift(base), [shift(a), shift(b)], given),
          shift(await merge(method, base, [a, b], given)),
          4e-6,
        );
      }
    }),
    runs,
  );
});

Deno.test("nuslerp without base equals slerp of the two models", async () => {
  await fc.assert(
    fc.asyncProperty(vector, vector, weight, async (a, b, t) => {
      const dot = a.reduce((sum, value, i) => sum + value * b[i]!, 0);
      fc.pre(norm(a) > 0 && norm(b) > 0 && Math.abs(dot) <= 0.99 * norm(a) * norm(b));
      close(
        await merge("nuslerp", [], [a, b], [{ weight: 1 - t }, { weight: t }], {}, { base: false }),
        await merge("slerp", a, [b], [], { t }),
      );
    }),
    runs,
  );
});

Deno.test("nuslerp by rows of one row, and by columns of one column, equals the whole", async () => {
  await fc.assert(
    fc.asyncProperty(vector, vector, vector, weight, async (base, a, b, u) => {
      const weights = [{ weight: u }, { weight: 1 }];
      const whole = await merge("nuslerp", base, [a, b], weights);
      const rows = { nuslerp_flatten: false };
      const columns = { ...rows, nuslerp_row_wise: true };
      const size = a.length;
      for (
        const [parameters, shape] of [
          [rows, [1, size]],
          [columns, [size, 1]],
          [rows, [size]],
          [columns, [size]],
        ] as const
      ) {
        close(await merge("nuslerp", base, [a, b], weights, parameters, { shape }), whole);
      }
    }),
    runs,
  );
});

Deno.test("nuslerp: rows and columns of a transposed tensor are each other's", async () => {
  const transposed = (v: readonly number[]) =>
    Array.from({ length: 24 }, (_, j) => v[(j % 4) * 6 + Math.floor(j / 4)]!);
  await fc.assert(
    fc.asyncProperty(vector, vector, vector, async (base, a, b) => {
      const weights = [{ weight: 0.3 }, { weight: 0.7 }];
      const rows = { nuslerp_flatten: false };
      const columns = { ...rows, nuslerp_row_wise: true };
      close(
        await merge(
          "nuslerp",
          transposed(base),
          [transposed(a), transposed(b)],
          weights,
          columns,
          { shape: [6, 4] },
        ),
        transposed(await merge("nuslerp", base, [a, b], weights, rows, { shape })),
      );
    }),
    runs,
  );
});

Deno.test("nuslerp: opposite and zero vectors are interpolated linearly", async () => {
  const [u, zero] = [[3, 0, 0, 4], [0, 0, 0, 0]];
  const weights = [{ weight: 3 }, { weight: 1 }];
  const form = { base: false };
  close(await merge("nuslerp", [], [u, scaled(u, -1)], weights, {}, form), scaled(u, 0.5));
  close(await merge("nuslerp", [], [u, zero], weights, {}, form), scaled(u, 0.75));
  close(await merge("nuslerp", [], [zero, u], weights, {}, form), scaled(u, 0.25));
  // mergekit rotates from a zero vector by a quarter turn.
  const compat = { ...form, more: { compat: "mergekit" } };
  close(
    await merge("nuslerp", [], [zero, u], weights, {}, compat),
    scaled(u, Math.sin(Math.PI / 8)),
  );
  // Weights that cancel stand for the middle.
  const cancelling = [{ weight: 1 }, { weight: -1 }];
  const [a, b] = [[1, 0], [0, 1]];
  const half = [Math.SQRT1_2, Math.SQRT1_2];
  close(await merge("nuslerp", [], [a, b], cancelling, {}, form), half);
  assertEquals(await merge("nuslerp", [], [a, b], [{}, { weight: 0 }], {}, form), a);
  assertEquals(await merge("nuslerp", [], [a, b], [{ weight: 0 }, {}], {}, form), b);
});

Deno.test("nuslerp: with compat, rows of a tensor of three dimensions are its last one", async () => {
  // Inside the row of 4 the first half turns, the second half does not.
  const [a, b] = [[1, 0, 1, 1], [0, 1, 1, 1]];
  const parameters = { nuslerp_flatten: false };
  const form = { base: false, shape: [1, 2, 2] };
  const compat = { ...form, more: { compat: "mergekit" } };
  const weights = [{}, {}];
  close(
    await merge("nuslerp", [], [a, b], weights, parameters, compat),
    [Math.SQRT1_2, Math.SQRT1_2, 1, 1],
  );
  const angle = Math.acos(2 / 3);
  const share = Math.sin(angle / 2) / Math.sin(angle);
  close(
    await merge("nuslerp", [], [a, b], weights, parameters, form),
    [share, share, 2 * share, 2 * share],
  );
});

Deno.test("multislerp: orthogonal units as in METHODS.md; zero vectors contribute nothing", async () => {
  const weights = [{ weight: 0.25 }, { weight: 0.75 }];
  const form = { base: false };
  close(
    await merge("multislerp", [], [[1, 0], [0, 1]], weights, {}, form),
    [0.25 / Math.hypot(0.25, 0.75), 0.75 / Math.hypot(0.25, 0.75)],
  );
  // The zero vector only lowers the mean norm.
  close(await merge("multislerp", [], [[4, 0], [0, 0]], weights, {}, form), [1, 0]);
  const zeros = [[0, 0], [0, 0]];
  assertEquals(await merge("multislerp", [], zeros, weights, {}, form), [0, 0]);
});

Deno.test("multislerp: a mean direction shorter than eps gives the weighted sum", async () => {
  const opposite = [[2, 0], [-1, 0]];
  const form = { base: false };
  close(await merge("multislerp", [], opposite, [{}, {}], {}, form), [0.5, 0]);
  const tilted = [[1, 0], [-1, 0.1]];
  const far = await merge("multislerp", [], tilted, [{}, {}], { eps: 0.01 }, form);
  assertAlmostEquals(norm(far), (1 + Math.hypot(1, 0.1)) / 2, 1e-6);
  close(await merge("multislerp", [], tilted, [{}, {}], { eps: 0.5 }, form), [0, 0.05]);
  for (const weights of [[{ weight: 1 }, { weight: -1 }], [{ weight: 0 }, { weight: 0 }]]) {
    const problem = await caughtProblem(() => merge("multislerp", [], opposite, weights, {}, form));
    assertEquals(problem.kind, "invalid-recipe");
  }
});

Deno.test("karcher: orthonormal models give Σ/√k, and the norm is the mean norm", async () => {
  close(await merge("karcher", [], [[1, 0, 0], [0, 1, 0], [0, 0, 1]]), [
    1 / Math.sqrt(3),
    1 / Math.sqrt(3),
    1 / Math.sqrt(3),
  ]);
  await fc.assert(
    fc.asyncProperty(vector, vector, vector, async (a, b, c) => {
      const models = [a, b, c];
      fc.pre(models.every((model) => norm(model) > 0));
      const mean = models.reduce((sum, model) => sum + norm(model), 0) / 3;
      assertAlmostEquals(norm(await merge("karcher", [], models)), mean, 1e-5);
    }),
    runs,
  );
});

Deno.test("karcher: two models of equal norm give slerp at one half", async () => {
  const [a, b] = [[3, 0, 4, 0], [0, 5, 0, 0]];
  close(await merge("karcher", [], [a, b]), await merge("slerp", a, [b], [], { t: 0.5 }));
});

Deno.test("karcher: small tensors survive, but not with compat; zero models count in the scale", async () => {
  const small = [[3e-6, 4e-6], [4e-6, 3e-6]];
  const merged = await merge("karcher", [], small);
  assertAlmostEquals(norm(merged), 5e-6, 1e-11);
  assertEquals(await merge("karcher", [], small, [], {}, { more: { compat: "mergekit" } }), [0, 0]);
  close(await merge("karcher", [], [[2, 0], [0, 0]]), [1, 0]);
  assertEquals(await merge("karcher", [], [[0, 0], [0, -0]]), [0, 0]);
});
