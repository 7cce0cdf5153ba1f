import { assert, assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import type { Analysis, Summary } from "../../core/analysis/answer.ts";
import { workerPool } from "../../core/engine/pool.ts";
import { analyzed } from "../support/analyzing.ts";
import type { TestCheckpoint, TestTensor } from "../support/merging.ts";

/** Numbers in [-1, 1) that follow from a seed. */
function noise(seed: number, count: number): number[] {
  let state = seed * 2654435761 >>> 0;
  return Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.fround(state / 2 ** 31 - 1);
  });
}

function model(seed: number, dtype: TestTensor["dtype"] = "F32"): TestCheckpoint {
  return {
    "layers.0.weight": { dtype, shape: [40, 250], values: noise(seed, 10_000) },
    "layers.1.weight": { dtype, shape: [70, 100], values: noise(seed + 100, 7000) },
    "head.bias": { dtype, values: noise(seed + 200, 30) },
  };
}

const zeros: TestCheckpoint = Object.fromEntries(
  Object.entries(model(1)).map(([name, tensor]) => {
    const { values, ...rest } = tensor as TestTensor;
    return [name, { ...rest, values: new Float32Array(values.length) }];
  }),
);

function scaled(checkpoint: TestCheckpoint, factor: number): TestCheckpoint {
  return Object.fromEntries(
    Object.entries(checkpoint).map(([name, tensor]) => {
      const { values, ...rest } = tensor as TestTensor;
      return [name, { ...rest, values: Array.from(values, (value) => value * factor) }];
    }),
  );
}

/** The whole, every layer and every tensor. */
function parts({ total, layers, tensors }: Analysis): Summary[] {
  return [total, ...layers, ...tensors];
}

Deno.test("a model and itself: cosine 1, no conflict, full agreement", async () => {
  const found = await analyzed({ base: zeros, a: model(1), b: model(1) });
  for (const { cosines, conflict, sign_agreement } of parts(found)) {
    assertAlmostEquals(cosines[0]![1]!, 1, 1e-15);
    assertEquals(conflict, { elements: 0, mass: 0 });
    assertEquals(sign_agreement, { elements: [1, 1], magnitude: [1, 1] });
  }
});

Deno.test("a model and its opposite: cosine -1, every element in conflict, half of the mass outvoted", async () => {
  const found = await analyzed({ base: zeros, a: model(1), b: scaled(model(1), -1) });
  for (const { cosines, conflict, density } of parts(found)) {
    assertAlmostEquals(cosines[0]![1]!, -1, 1e-15);
    assertEquals(conflict.elements, density[0]);
    assertAlmostEquals(conflict.mass, 0.5, 1e-12);
  }
});

Deno.test("a model that is the base has no direction, and nothing to disagree with", async () => {
  const found = await analyzed({ base: zeros, a: model(1), same: zeros });
  for (const { cosines, conflict, sign_agreement, density, maximum, norms } of parts(found)) {
    assertEquals(cosines, [[1, null], [null, null]]);
    assertEquals(conflict, { elements: 0, mass: 0 });
    assertEquals(sign_agreement.magnitude, [1, null]);
    assertEquals([density[1], maximum[1], norms.task_vectors[1]], [0, 0, 0]);
  }
});

Deno.test("the order of models only orders the answer", async () => {
  const [a, b, c] = [model(1), model(2), model(3)];
  const found = await analyzed({ base: zeros, a, b, c });
  const turned = await analyzed({ base: zeros, c, a, b });
  const order = [1, 2, 0];
  parts(found).forEach((part, at) => {
    const other = parts(turned)[at]!;
    assertEquals(part.norms.task_vectors, order.map((i) => other.norms.task_vectors[i]!));
    assertEquals(part.maximum, order.map((i) => other.maximum[i]!));
    assertEquals(part.cosines, order.map((i) => order.map((k) => other.cosines[i]![k]!)));
    assertAlmostEquals(part.conflict.mass, other.conflict.mass, 1e-14);
    assertEquals(part.conflict.elements, other.conflict.elements);
  });
});

Deno.test("a power of two on one model scales norms and magnitudes and leaves cosines", async () => {
  const found = await analyzed({ base: zeros, a: model(1), b: model(2) });
  const larger = await analyzed({ base: zeros, a: model(1), b: scaled(model(2), 8) });
  parts(found).forEach((part, at) => {
    const other = parts(larger)[at]!;
    assertEquals(other.cosines, part.cosines);
    assertEquals(other.density, part.density);
    assertEquals(other.maximum[1], part.maximum[1]! * 8);
    assertAlmostEquals(other.norms.task_vectors[1]!, part.norms.task_vectors[1]! * 8, 1e-12);
  });
  assertEquals(larger.total.quantiles[1], found.total.quantiles[1]!.map((cut) => cut * 8));
});

Deno.test("task vectors stand for themselves: with their base and without", async () => {
  const [a, b] = [model(1), model(2)];
  const kind = {
    sources: { a: { upload: true, kind: "task_vector" }, b: { upload: true, kind: "task_vector" } },
  };
  const alone = await analyzed({ a, b }, { document: kind });
  const based = await analyzed({ base: model(5), a, b }, { document: kind });
  assertEquals([alone.operand, alone.base, alone.total.norms.models], ["task_vectors", null, null]);
  assertEquals(alone.total.cosines, based.total.cosines);
  assertEquals(alone.total.quantiles, based.total.quantiles);
  assert(based.total.norms.models![0]! > based.total.norms.task_vectors[0]!);
});

Deno.test("chunk size and worker count change no bit", async () => {
  const models = { base: model(9), a: model(1, "BF16"), b: model(2, "F16"), c: model(3) };
  const document = { spectrum: true };
  const wanted = JSON.stringify(await analyzed(models, { document }));
  for (const [chunkElements, workers] of [[8192, 0], [4096, 2], [1 << 18, 0]] as const) {
    const executor = workerPool(workers);
    try {
      const found = await analyzed(models, { executor, chunkElements, document });
      assertEquals(JSON.stringify(found), wanted);
    } finally {
      await executor.close();
    }
  }
});

Deno.test("an aborted analysis ends with the signal's reason", async () => {
  const reason = new Error("gone");
  const controller = new AbortController();
  const seen: number[] = [];
  const error = await assertRejects(() =>
    analyzed({ base: zeros, a: model(1), b: model(2) }, {
      signal: controller.signal,
      onProgress: ({ done, total }) => {
        assertEquals(total, 17_030);
        seen.push(done);
        controller.abort(reason);
      },
    }), Error);
  assertEquals(error, reason);
  assertEquals(seen.length, 1);
});

Deno.test("a tensor with NaN or infinity is counted and left out", async () => {
  const good = { w: [1, 2, 3, 4], v: [1, -1] };
  const bad = { w: [NaN, 2, Infinity, -Infinity], v: [1, 1] };
  const found = await analyzed({ base: { w: [0, 0, 0, 0], v: [0, 0] }, good, bad });
  assertEquals(found.skipped, [{ name: "w", reason: "non_finite", non_finite: [0, 3] }]);
  assertEquals(found.non_finite, [0, 3]);
  assertEquals(found.total.elements, 2);
  assertEquals(found.total.cosines[0]![1], 0);
});

Deno.test("what is not merged is named with its reason; a model without a tensor counts as unchanged", async () => {
  const found = await analyzed({
    base: { w: [0, 0], only: [0, 0], out: [0], empty: { values: [], shape: [0] } },
    a: { w: [1, 1], only: [3, 4], out: [1], empty: { values: [], shape: [0] } },
    b: { w: [1, -1], out: [1], empty: { values: [], shape: [0] } },
  }, { document: { missing: "drop", tensors: { exclude: ["out"] } } });
  assertEquals(found.skipped.map(({ name, reason }) => [name, reason]).sort(), [
    ["empty", "empty"],
    ["out", "unselected"],
  ]);
  const only = found.tensors.find(({ name }) => name === "only")!;
  assertEquals([only.missing, only.norms.task_vectors, only.density], [["b"], [5, 0], [1, 0]]);
  assertEquals(found.total.histogram.counts.map((row) => row.reduce((a, b) => a + b)), [4, 2]);
  assertEquals(found.total.density, [1, 0.5]);
});

Deno.test("disjoint blocks of low rank do not interfere; equal models do", async () => {
  const block = (top: number) =>
    Float32Array.from({ length: 64 }, (_, i) => {
      const [row, column] = [Math.floor(i / 8) - top, i % 8 - top];
      return row >= 0 && row < 3 && column >= 0 && column < 3
        ? (row + 1) * (column === row ? 2 : 0)
        : 0;
    });
  const matrix = (values: Float32Array) => ({ w: { shape: [8, 8], values } });
  const document = { spectrum: true };
  const base = matrix(new Float32Array(64));
  const apart = await analyzed({ base, a: matrix(block(0)), b: matrix(block(4)) }, { document });
  const { spectrum } = apart.tensors[0]!;
  assertAlmostEquals(spectrum!.interference!, 0, 1e-12);
  // Singular values 2, 4 and 6.
  const entropy = -[2, 4, 6].reduce((sum, s) => sum + s / 12 * Math.log(s / 12), 0);
  assertAlmostEquals(spectrum!.effective_rank[0]!, Math.exp(entropy), 1e-12);
  assertAlmostEquals(spectrum!.stable_rank[1]!, 56 / 36, 1e-12);
  const equal = await analyzed({ base, a: matrix(block(0)), b: matrix(block(0)) }, { document });
  // Every vector meets its twin: each of the six values once.
  assertAlmostEquals(equal.tensors[0]!.spectrum!.interference!, 24, 1e-9);
});

Deno.test("matrices beyond the limit are not decomposed, and a warning says how many", async () => {
  const found = await analyzed({ base: zeros, a: model(1) }, {
    document: { spectrum: { maximum_elements: 7000 } },
  });
  assertEquals(found.tensors.map(({ spectrum }) => spectrum !== undefined), [false, true, false]);
  assertEquals(found.warnings.filter((warning) => warning.includes("maximum_elements")).length, 1);
});
