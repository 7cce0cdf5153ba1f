import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import fc from "fast-check";
import { close, merge, runs, vector, weight } from "./merge_vectors.ts";

const compat = { more: { compat: "mergekit" } };
const zeros = (count: number) => new Array<number>(count).fill(0);
const count = (values: readonly number[]) => values.filter((value) => value !== 0).length;
const total = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);

Deno.test("breadcrumbs: skips ⌊γP⌋, keeps ⌊dP⌋, and with γ = 0 trims as ties does", async () => {
  // Magnitudes 1 to 20, signs alternating, in an order of their own.
  const values = Array.from({ length: 20 }, (_, i) => ((i * 7) % 20 + 1) * (i % 2 ? -1 : 1));
  const run = (density: number, gamma: number) =>
    merge("breadcrumbs", zeros(20), [values], [{ density, gamma }]);
  const between = (low: number, high: number) =>
    values.map((value) => Math.abs(value) > low && Math.abs(value) <= high ? value : 0);
  assertEquals(await run(0.5, 0.1), between(8, 18));
  assertEquals(await run(0.25, 0.5), between(5, 10));
  // No more is skipped than leaves room for what is kept.
  assertEquals(await run(0.9, 0.5), between(0, 18));
  assertEquals(await run(0.01, 0), between(19, 20));
  assertEquals(await run(0, 0.3), zeros(20));
  await fc.assert(
    fc.asyncProperty(vector, vector, weight, async (base, model, density) => {
      assertEquals(
        await merge("breadcrumbs_ties", base, [model], [{ density, gamma: 0 }]),
        await merge("ties", base, [model], [{ density }], { normalize: false }),
      );
    }),
    runs,
  );
});

Deno.test("breadcrumbs: over several chunks, with equal magnitudes, the count is exact", async () => {
  for (const [density, gamma] of [[0.37, 0.123], [0.9, 0.0999], [0.0001, 0.5]] as const) {
    const values = Array.from({ length: 20_000 }, (_, i) => 1 + (i * 31 % 7));
    const merged = await merge("breadcrumbs", zeros(20_000), [values], [{ density, gamma }]);
    const order = values.map((_, i) => i).sort((i, k) => values[k]! - values[i]! || i - k);
    const top = Math.floor(gamma * 20_000);
    const keep = Math.floor(density * 20_000);
    const kept = new Set(order.slice(top, top + keep));
    assertEquals(merged, values.map((value, i) => kept.has(i) ? value : 0));
  }
});

Deno.test("breadcrumbs: with compat, a gamma that rounds to nothing erases the task vector", async () => {
  const values = [1, 2, 3, 4];
  const given = [{ density: 0.5, gamma: 0.1 }];
  assertEquals(await merge("breadcrumbs", zeros(4), [values], given), [0, 0, 3, 4]);
  assertEquals(await merge("breadcrumbs", zeros(4), [values], given, {}, compat), zeros(4));
});

Deno.test("breadcrumbs and ties: rescale restores the sum of magnitudes", async () => {
  const values = Array.from({ length: 9000 }, (_, i) => Math.fround(Math.sin(i + 1)));
  const magnitude = (list: readonly number[]) => total(list.map(Math.abs));
  for (const method of ["breadcrumbs", "breadcrumbs_ties", "ties"]) {
    const given = method === "ties" ? { density: 0.4 } : { density: 0.4, gamma: 0.05 };
    const merged = await merge(method, zeros(9000), [values], [given], { rescale: true });
    assertAlmostEquals(magnitude(merged) / magnitude(values), 1, 1e-6, method);
    assertEquals(count(merged), 3600, method);
  }
});

Deno.test("sce: shift, homogeneity, permutation; one model and equal models come back", async () => {
  await fc.assert(
    fc.asyncProperty(vector, vector, vector, weight, async (base, a, b, share) => {
      const parameters = { select_topk: share };
      const merged = await merge("sce", base, [a, b], [], parameters);
      close(await merge("sce", base, [b, a], [], parameters), merged);
      const by = (factor: number, values: readonly number[]) => values.map((x) => x * factor);
      assertEquals(
        await merge("sce", by(4, base), [by(4, a), by(4, b)], [], parameters),
        by(4, merged),
      );
      const shift = (values: readonly number[]) => values.map((value) => value + 4);
      close(
        await merge("sce", shift(base), [shift(a), shift(b)], [], parameters),
        shift(merged),
        3e-6,
      );
      assertEquals(await merge("sce", base, [a], [], parameters), a);
      assertEquals(await merge("sce", base, [a, a, a], [], parameters), a);
    }),
    runs,
  );
});

Deno.test("sce: equal energies are normalised ties, and what changes has the elected sign", async () => {
  const base = zeros(4);
  const models = [[3, -4, 1, 2], [4, 3, -2, 1]];
  close(await merge("sce", base, models), await merge("ties", base, models));
  assertEquals(await merge("sce", base, models, [], { select_topk: 0 }), base);
});

Deno.test("sce: the largest variances are kept, ties in order, over several chunks", async () => {
  const size = 10_000;
  const a = Array.from({ length: size }, (_, i) => 1 + (i % 5));
  const b = Array.from({ length: size }, () => 1);
  // Element i varies unless i % 5 = 0; 8000 vary, 30 % of them are 2400: all 2000 of 4, then 400 of 3.
  const merged = await merge("sce", zeros(size), [a, b], [], { select_topk: 0.3 });
  let left = 400;
  a.forEach((value, i) => {
    const isKept = value === 5 || (value === 4 && left-- > 0);
    assertEquals(merged[i] !== 0, isKept, `element ${i}`);
  });
});

Deno.test("sce: energies count however small they are, but not with compat", async () => {
  const models = [[2e-4, 0], [0, 0], [1e-4, 1e-5]];
  const base = [0, 0];
  const energies = [4e-8, 0, 1e-8 + 1e-10];
  const share = energies.map((energy) => energy / (energies[0]! + energies[2]!));
  const expected = (share[0]! * 2e-4 + share[2]! * 1e-4) / (share[0]! + share[2]!);
  close(await merge("sce", base, models), [expected, 1e-5], 1e-10);
  close(await merge("sce", base, models, [], {}, compat), [1.5e-4, 1e-5], 1e-10);
  // The largest change of frozen models is nothing.
  assertEquals(await merge("sce", [1, 2], [[1, 2], [1, 2]], [], { select_topk: 0.5 }), [1, 2]);
});

Deno.test("ram: unique changes are kept, shared ones averaged, small ones dropped", async () => {
  const base = [1, 1, 1, 1];
  const models = [[2, 1, 1.5, 1], [1, 3, 2.5, 1.0625]];
  assertEquals(await merge("ram", base, models, [], { epsilon: 0.0625 }), [2, 3, 2, 1]);
  assertEquals(await merge("ram", base, models, [], { epsilon: 0 }), [2, 3, 2, 1.0625]);
  assertEquals(await merge("ram", base, models, [], { epsilon: 2 }), base);
  await fc.assert(
    fc.asyncProperty(vector, vector, vector, vector, async (b, x, y, z) => {
      const scaled = { r: 0, alpha: 0.5 };
      const merged = await merge("ram", b, [x, y, z]);
      close(await merge("ram", b, [z, x, y]), merged);
      assertEquals(await merge("ramplus_tl", b, [x, y, z], [], scaled), merged);
      assertEquals(await merge("ramplus_tl", b, [x, y, z], [], { r: 3, alpha: 0 }), merged);
      close(await merge("ram", b, [x, x, x]), x);
      assertEquals(await merge("ram", b, [x]), x);
    }),
    runs,
  );
});

Deno.test("ramplus_tl: unique changes grow with the share of shared ones", async () => {
  const base = zeros(4);
  const models = [[1, 1, 1, 0], [0, 2, 2, 4]];
  // Two shared; one unique each: ρ = 2, clamped to alpha.
  assertEquals(await merge("ramplus_tl", base, models, [], { r: 0.5, alpha: 5 }), [2, 1.5, 1.5, 8]);
  assertEquals(
    await merge("ramplus_tl", base, models, [], { r: 0.5, alpha: 1 }),
    [1.5, 1.5, 1.5, 6],
  );
});

Deno.test("nearswap: the step is min(t, |δ|), and grows with t", async () => {
  await fc.assert(
    fc.asyncProperty(vector, vector, weight, weight, async (base, model, t, u) => {
      const step = async (t: number) =>
        (await merge("nearswap", base, [model], [], { t }))
          .map((value, i) => Math.abs(value - base[i]!));
      const [short, long] = [await step(Math.min(t, u)), await step(Math.max(t, u))];
      model.forEach((value, i) => {
        assertEquals(long[i], Math.min(Math.max(t, u), Math.abs(value - base[i]!)));
        assert(short[i]! <= long[i]!);
      });
      assertEquals(await merge("nearswap", base, [model], [], { t: 2 }), model);
      assertEquals(await merge("nearswap", base, [model], [], { t: 0 }), base);
    }),
    runs,
  );
  const fine = 2 ** -22;
  const given = { t: fine / 2 };
  close(await merge("nearswap", [0], [[fine]], [], given), [fine / 2], 1e-12);
  // mergekit takes the distance for 1e-6 at least.
  close(await merge("nearswap", [0], [[fine]], [], given, compat), [fine ** 2 / 2 / 1e-6], 1e-12);
});

Deno.test("nearswap takes the model's own value within t, where b + (x − b) is another", async () => {
  const base = [Math.fround(1e8)];
  const model = [Math.fround(0.1)];
  assertEquals(await merge("nearswap", base, [model], [], { t: 1e9 }), model);
});

Deno.test("arcee_fusion: every element is the model's or the base's; equal ones stay", async () => {
  await fc.assert(
    fc.asyncProperty(vector, vector, async (base, model) => {
      const form = { shape: [4, 6] };
      const merged = await merge("arcee_fusion", base, [model], [], {}, form);
      merged.forEach((value, i) => assert(value === base[i] || value === model[i]));
      assertEquals(await merge("arcee_fusion", base, [base]), base);
      // A constant that is added to a row of both leaves the choice unchanged, as the order of rows does.
      const shifted = (values: readonly number[]) => values.map((x, i) => i < 6 ? x + 4 : x);
      const turned = (values: readonly number[]) => [...values.slice(6), ...values.slice(0, 6)];
      const chosen = (values: readonly number[], from: readonly number[]) =>
        values.map((value, i) => value === from[i]);
      assertEquals(
        chosen(
          await merge("arcee_fusion", shifted(base), [shifted(model)], [], {}, form),
          shifted(base),
        ),
        chosen(merged, base),
      );
      assertEquals(
        await merge("arcee_fusion", turned(base), [turned(model)], [], {}, form),
        turned(merged),
      );
    }),
    runs,
  );
});

Deno.test("arcee_fusion: scores that are all equal take the model; large weights do not overflow", async () => {
  const column = { shape: [4, 1] };
  assertEquals(
    await merge("arcee_fusion", [1, 2, 3, 4], [[2, 3, 4, 5]], [], {}, column),
    [2, 3, 4, 5],
  );
  const base = [3e4, -3e4, 1000, 0, 0, 0];
  const model = [3e4, -3e4, 2000, 1, 0, 1];
  const merged = await merge("arcee_fusion", base, [model]);
  assert(merged.every(Number.isFinite));
});
