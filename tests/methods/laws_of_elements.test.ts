import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import fc from "fast-check";
import { caughtProblem } from "../support/caught_problem.ts";
import { close, merge, type Parameters, runs, vector, weight } from "./merge_vectors.ts";

const zeros = (count: number) => new Array<number>(count).fill(0);
const total = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);
/** What the methods without election need so that one model, or equal ones, come back. */
const UNIT: Record<string, Parameters> = { magmax: { lambda: 1 }, emr: {} };

Deno.test("negation and analogy are those requests for task_arithmetic, to the byte", async () => {
  await fc.assert(
    fc.asyncProperty(vector, vector, vector, vector, weight, async (base, a, b, c, lambda) => {
      const given = { lambda };
      assertEquals(
        await merge("negation", base, [a], [], given),
        await merge("task_arithmetic", base, [a], [{ weight: -1 }], given),
      );
      const roles = [{ role: "b" }, { role: "c" }, { role: "a" }];
      assertEquals(
        await merge("analogy", base, [b, c, a], roles, given),
        await merge("task_arithmetic", base, [b, c, a], [{}, {}, { weight: -1 }], given),
      );
      close(
        await merge("analogy", base, [a, c, a], roles, given),
        await merge("task_arithmetic", base, [c], [], given),
      );
    }),
    runs,
  );
  assertEquals(await merge("negation", [1, 2], [[3, 1]], [], { lambda: 0 }), [1, 2]);
  assertEquals(await merge("negation", [1, 2], [[3, 1]]), [-1, 3]);
});

Deno.test("analogy wants each role once", async () => {
  const models = [[1], [2], [3]];
  for (
    const roles of [
      [{ role: "a" }, { role: "b" }, { role: "b" }],
      [{ role: "a" }, { role: "b" }, {}],
      [{ role: "a" }, { role: "b" }, { role: "d" }],
    ]
  ) {
    const problem = await caughtProblem(() => merge("analogy", [0], models, roles));
    assertEquals(problem.kind, "invalid-recipe");
  }
});

Deno.test("shift, homogeneity, permutation, and lambda as a scale", async () => {
  const methods: Record<string, Parameters> = { magmax: {}, consensus: { min_tasks: 1 }, emr: {} };
  await fc.assert(
    fc.asyncProperty(vector, vector, vector, weight, async (base, a, b, u) => {
      const given = [{ weight: u }, {}];
      for (const [method, parameters] of Object.entries(methods)) {
        const run = (base: readonly number[], models: number[][], more: Parameters = {}) =>
          merge(method, base, models, given, { ...parameters, ...more });
        const merged = await run(base, [a, b]);
        const scale = (values: readonly number[]) => values.map((value) => value * 4);
        const shift = (values: readonly number[]) => values.map((value) => value + 4);
        assertEquals(await run(scale(base), [scale(a), scale(b)]), scale(merged), method);
        close(await run(shift(base), [shift(a), shift(b)]), shift(merged), 3e-6, method);
        const turned = await merge(method, base, [b, a], [...given].reverse(), parameters);
        close(turned, merged, 1e-6, method);
        const one = await run(base, [a, b], { lambda: 1 });
        const scaled = await run(base, [a, b], { lambda: -0.7 });
        close(scaled, one.map((value, i) => base[i]! - 0.7 * (value - base[i]!)), 3e-6, method);
        assertEquals(await run(base, [a, b], { lambda: 0 }), base, method);
      }
    }),
    runs,
  );
});

Deno.test("magmax and emr: one model and equal models come back; disjoint changes add up", async () => {
  await fc.assert(
    fc.asyncProperty(vector, vector, async (base, model) => {
      for (const [method, parameters] of Object.entries(UNIT)) {
        assertEquals(await merge(method, base, [model], [], parameters), model, method);
        assertEquals(await merge(method, base, [model, model], [], parameters), model, method);
      }
    }),
    runs,
  );
  const models = [[2, 0, 0], [0, -1, 0], [0, 0, 0.5]];
  for (const [method, parameters] of Object.entries(UNIT)) {
    assertEquals(await merge(method, [0, 0, 0], models, [], parameters), [2, -1, 0.5], method);
  }
});

Deno.test("magmax: the magnitude is the largest, and of opposite ones the positive wins", async () => {
  await fc.assert(
    fc.asyncProperty(vector, vector, vector, weight, async (a, b, c, u) => {
      const models = [a, b, c];
      const weights = [u, 1, -0.5];
      const given = weights.map((weight) => ({ weight }));
      const merged = await merge("magmax", zeros(24), models, given, { lambda: 1 });
      merged.forEach((value, j) => {
        const changes = models.map((model, i) => weights[i]! * model[j]!);
        const largest = Math.max(...changes.map(Math.abs));
        assertEquals(value, changes.includes(largest) ? largest : -largest || 0);
      });
    }),
    runs,
  );
  assertEquals(await merge("magmax", [0, 0], [[-3, 3], [3, -3]], [], { lambda: 1 }), [3, 3]);
});

Deno.test("consensus: no task needed is task_arithmetic, too many give the base", async () => {
  await fc.assert(
    fc.asyncProperty(vector, vector, vector, weight, async (base, a, b, u) => {
      const given = [{ weight: u }, {}];
      const all = await merge("consensus", base, [a, b], given, { min_tasks: 0, lambda: 0.5 });
      close(all, await merge("task_arithmetic", base, [a, b], given, { lambda: 0.5 }));
      assertEquals(await merge("consensus", base, [a, b], given, { min_tasks: 3 }), base);
      const alone = { min_tasks: 1, lambda: 1 };
      close(await merge("consensus", base, [a], [], alone), a);
      // With mask_lambda 0 a task uses exactly what it changes.
      const masks = [{ mask_lambda: 0 }, { mask_lambda: 0 }];
      const shared = await merge("consensus", base, [a, b], masks, { min_tasks: 2, lambda: 1 });
      shared.forEach((value, j) => {
        const isUsed = a[j] !== base[j] && b[j] !== base[j];
        assertAlmostEquals(value, isUsed ? a[j]! + b[j]! - base[j]! : base[j]!, 1e-6);
      });
    }),
    runs,
  );
});

Deno.test("consensus: one task's model from the merged one", async () => {
  const models = [[4, 1, -1], [0, 4, 2]];
  // τ = (4, 5, 1): the first task needs |δ| > 0.5·|τ − δ|, which holds for elements 0 alone and 2 not.
  const given = [{ mask_lambda: 0.5 }, { mask_lambda: 0.5 }];
  assertEquals(
    await merge("consensus", [0, 0, 0], models, given, { task: "m0" }),
    [4, 0, 0],
  );
  assertEquals(
    await merge("consensus", [0, 0, 0], models, given, { task: "m1", lambda: 0 }),
    [0, 5, 1],
  );
  const tooMany = () => merge("consensus", [0], [[1], [2]], [], { min_tasks: 4 });
  assertEquals((await caughtProblem(tooMany)).kind, "invalid-recipe");
});

Deno.test("emr: magnitudes stay within the largest change, and a task keeps its sum", async () => {
  await fc.assert(
    fc.asyncProperty(vector, vector, vector, async (a, b, c) => {
      const models = [a, b, c];
      const merged = await merge("emr", zeros(24), models);
      merged.forEach((value, j) =>
        assert(Math.abs(value) <= Math.max(...models.map((model) => Math.abs(model[j]!))))
      );
      const task = await merge("emr", zeros(24), models, [], { task: "m1" });
      const sum = total(b.map(Math.abs));
      const isEmpty = task.every((value) => value === 0);
      assertAlmostEquals(total(task.map(Math.abs)), isEmpty ? 0 : sum, 1e-5);
      task.forEach((value, j) => assert(value * b[j]! >= 0));
    }),
    runs,
  );
});

Deno.test("pcb: shift, permutation and scale; the result lies between the clipped changes", async () => {
  await fc.assert(
    fc.asyncProperty(vector, vector, vector, weight, async (base, a, b, ratio) => {
      const given = { lambda: 1, ratio, clip: 0 };
      const merged = await merge("pcb", base, [a, b], [], given);
      merged.forEach((value, j) => {
        const changes = [a[j]! - base[j]!, b[j]! - base[j]!];
        const change = value - base[j]!;
        assert(
          Math.abs(change) < 1e-6 ||
            (change >= Math.min(...changes) - 1e-6 && change <= Math.max(...changes) + 1e-6),
        );
      });
      close(await merge("pcb", base, [b, a], [], given), merged);
      const shift = (values: readonly number[]) => values.map((value) => value + 4);
      close(await merge("pcb", shift(base), [shift(a), shift(b)], [], given), shift(merged), 3e-6);
      close(
        await merge("pcb", base, [a, b], [], { ...given, lambda: 2 }),
        merged.map((value, j) => 2 * value - base[j]!),
        3e-6,
      );
    }),
    runs,
  );
});

Deno.test("pcb: equal magnitudes, single elements, and a hundred models are finite", async () => {
  assertEquals(await merge("pcb", [0, 0], [[1, 1]], [], { lambda: 1 }), [1, 1]);
  assertEquals(await merge("pcb", [0], [[-2]], [], { lambda: 1, clip: 0.3, ratio: 1 }), [-2]);
  assertEquals(await merge("pcb", [1, 2, 3], [[1, 2, 3]]), [1, 2, 3]);
  const many = Array.from({ length: 100 }, (_, i) => [1, -1, i % 2, 0.5]);
  const merged = await merge("pcb", zeros(4), many, [], { lambda: 1, ratio: 1 });
  assert(merged.every(Number.isFinite));
  assertAlmostEquals(merged[0]!, 1, 1e-5);
});
