import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { extractAdapter, type Extraction } from "../../core/adapters/extract.ts";
import { parseExtraction } from "../../core/adapters/extraction_document.ts";
import { keptCount } from "../../core/adapters/truncate.ts";
import { tallQr } from "../../core/adapters/tall_qr.ts";
import type { Checkpoint } from "../../core/checkpoint/checkpoint.ts";
import { hostHasher } from "../../core/host/hasher.ts";
import { memoryBlobs } from "../../core/store/memory_blobs.ts";
import {
  denseOf,
  expectedNumbers,
  furthest,
  linearAdapter,
  loraConfig,
  mergeOpened,
  openedAdapter,
  openedValues,
} from "../support/adapters.ts";
import { caughtProblem } from "../support/caught_problem.ts";
import type { TestCheckpoint, TestTensor } from "../support/merging.ts";

/** Extracts, and opens what was written. */
async function extracted(
  document: Record<string, unknown>,
  checkpoints: Readonly<Record<string, Checkpoint>>,
): Promise<{ found: Extraction; adapter: Checkpoint; modules: string[] }> {
  const writer = await memoryBlobs({ makeHasher: hostHasher }).create();
  const modules: string[] = [];
  const { extraction, bytes } = await extractAdapter(parseExtraction(document), {
    checkpoints: new Map(Object.entries(checkpoints)),
    writer,
    signal: new AbortController().signal,
    onModule: ({ name }) => modules.push(name),
  });
  const parts: Uint8Array[] = [];
  for await (const part of bytes) parts.push(part);
  await writer.abort();
  const file = new Uint8Array(await new Blob(parts as BlobPart[]).arrayBuffer());
  const opened = await openedAdapter(file);
  return {
    found: extraction,
    adapter: { ...opened, config: opened.metadata.adapter_config! },
    modules,
  };
}

const vectorOf = (tensors: TestCheckpoint) => openedValues(tensors, { kind: "task_vector" });
const expected = expectedNumbers();
const SHAPES: Record<string, number[]> = {
  "blocks.0.q.weight": [8, 8],
  "blocks.0.v.weight": [6, 8],
  "blocks.1.q.weight": [8, 8],
  "blocks.1.v.weight": [6, 8],
};
const cat = Object.fromEntries(
  Object.entries(expected.cat).map(([name, values]) => [name, { values, shape: SHAPES[name]! }]),
);

Deno.test("the error of an extraction is that of PyTorch's singular values", async () => {
  const v = await vectorOf(cat);
  for (const rank of [1, 3]) {
    const { found, adapter, modules } = await extracted({ task_vector: "v", rank }, { v });
    let [lost, total] = [0, 0];
    for (const { name, rank: held, relative_error } of found.modules) {
      const squares = expected.singular[name]!.map((value) => value ** 2);
      const tail = squares.slice(rank).reduce((sum, square) => sum + square, 0);
      const whole = squares.reduce((sum, square) => sum + square, 0);
      assertEquals(held, rank);
      assert(Math.abs(relative_error - Math.sqrt(tail / whole)) < 1e-6);
      lost += tail;
      total += whole;
    }
    assertEquals(modules, found.modules.map(({ name }) => name));
    assert(Math.abs(found.relative_error - Math.sqrt(lost / total)) < 1e-6);
    assertEquals([found.overall_error, found.rank], [found.relative_error, rank]);
    const best = rank === 1 ? expected.svd1 : expected.svd3;
    assert(furthest(await denseOf(adapter), best) < 1e-6);
  }
});

/** A matrix with these singular values, between bases of cosines. */
function ofValues(rows: number, columns: number, values: readonly number[]): number[] {
  const basis = (size: number, k: number, i: number) =>
    Math.sqrt((k === 0 ? 1 : 2) / size) * Math.cos(Math.PI * (i + 0.5) * k / size);
  return Array.from({ length: rows * columns }, (_, at) => {
    const [i, j] = [Math.floor(at / columns), at % columns];
    return values.reduce((sum, s, k) => sum + s * basis(rows, k, i) * basis(columns, k, j), 0);
  });
}

Deno.test("large matrices go through the Gram matrix with the same result", async () => {
  const values = [8, 4, 2, 1, 0.5];
  const total = 85.25;
  const v = await vectorOf({
    "a.weight": { values: ofValues(150, 140, values), shape: [150, 140] },
    "b.weight": { values: ofValues(131, 200, values), shape: [131, 200] },
  });
  const cases: [object, number][] = [
    [{ rank: 2 }, 2],
    [{ rank: 3 }, 3],
    [{ energy: 64 / total - 1e-6 }, 1],
    [{ energy: 64 / total + 1e-6 }, 2],
    [{ energy: 84 / total + 1e-6 }, 4],
  ];
  for (const [keep, rank] of cases) {
    const { found } = await extracted({ task_vector: "v", ...keep }, { v });
    const lost = values.slice(rank).reduce((sum, value) => sum + value ** 2, 0);
    for (const module of found.modules) {
      assertEquals(module.rank, rank, JSON.stringify(keep));
      assert(Math.abs(module.relative_error - Math.sqrt(lost / total)) < 1e-5);
    }
  }
});

Deno.test("base and model, embeddings, convolutions, fan-in; what is no matrix is told with its share", async () => {
  const tensors = {
    "embed.weight": { values: ofValues(7, 3, [2, 1]), shape: [7, 3] },
    "conv.weight": { values: ofValues(4, 18, [3, 1]), shape: [4, 2, 3, 3] },
    "fc.weight": { values: ofValues(5, 6, [1, 0.5]), shape: [5, 6] },
    "fc.bias": { values: [3, 4, 0, 0, 0], shape: [5] },
    "pos": { values: ofValues(2, 2, [2]), shape: [2, 2] },
    "skip.weight": { values: ofValues(2, 2, [1]), shape: [2, 2] },
    "still.weight": { values: [0, 0, 0, 0], shape: [2, 2] },
    "steps": { values: [1, 0, 0, 0], shape: [1], dtype: "I32" as const },
  } satisfies Record<string, TestTensor>;
  const zeros = Object.fromEntries(
    Object.entries(tensors).map(([name, tensor]) =>
      [name, name === "steps" ? tensor : { ...tensor, values: tensor.values.map(() => 0) }] as const
    ),
  );
  const [b, m] = [await openedValues(zeros), await openedValues(tensors)];
  for (const fan_in_fan_out of [false, true]) {
    const { found, adapter } = await extracted(
      { base: "b", model: "m", rank: 9, exclude: ["skip*"], fan_in_fan_out },
      { b, m },
    );
    const dense = await denseOf(adapter);
    const kept = ["embed.weight", "conv.weight", "fc.weight"] as const;
    const wanted = Object.fromEntries(kept.map((name) => [name, tensors[name].values]));
    assert(furthest(dense, wanted) < 1e-6);
    assertEquals(adapter.tensors.get("base_model.model.embed.lora_embedding_A")!.shape, [3, 7]);
    assertEquals(adapter.tensors.get("base_model.model.conv.lora_B.weight")!.shape, [4, 4, 1, 1]);
    assertEquals(found.config.fan_in_fan_out, fan_in_fan_out);
    // 5 + 10 + 1.25 of matrices, 25 + 4 + 1 of the rest.
    const whole = 46.25;
    const shares = Object.fromEntries(found.left_out.map(({ name, ...rest }) => [name, rest]));
    assertEquals(Object.keys(shares).sort(), [
      "fc.bias",
      "pos",
      "skip.weight",
      "steps",
      "still.weight",
    ]);
    for (
      const [name, reason, norm] of [
        ["fc.bias", "not-a-matrix", 25],
        ["pos", "not-a-weight", 4],
        ["skip.weight", "unselected", 1],
        ["steps", "integer", 0],
        ["still.weight", "unchanged", 0],
      ] as const
    ) {
      assertEquals(shares[name]!.reason, reason);
      assert(Math.abs(shares[name]!.norm_share - norm / whole) < 1e-6, name);
    }
    assert(found.relative_error < 1e-6);
    assert(Math.abs(found.overall_error - Math.sqrt(30 / whole)) < 1e-6);
  }
});

const W = { "w.weight": { values: [1, 2, 3, 4], shape: [2, 2] } };
const sources = {
  v: await vectorOf(W),
  w: await openedValues(W),
  other: await openedValues({ "w.weight": { values: [1, 2], shape: [1, 2] } }),
  flat: await vectorOf({ "w.bias": [1, 2] }),
  holed: await vectorOf({ "w.weight": { values: [1, NaN], shape: [1, 2] } }),
};

const REFUSED: readonly [string, Record<string, unknown>, string, string][] = [
  ["neither rank nor energy", { task_vector: "v" }, "invalid-recipe", "current value is none"],
  ["both", { task_vector: "v", rank: 1, energy: 0.5 }, "invalid-recipe", "exactly one of rank"],
  ["a rank of 0", { task_vector: "v", rank: 0 }, "invalid-recipe", "current value is 0"],
  ["a rank of 1.5", { task_vector: "v", rank: 1.5 }, "invalid-recipe", "current value is 1.5"],
  ["an energy of 0", { task_vector: "v", energy: 0 }, "invalid-recipe", "(0, 1]"],
  ["an energy above 1", { task_vector: "v", energy: 1.0000001 }, "invalid-recipe", "(0, 1]"],
  ["no source", { rank: 1 }, "invalid-recipe", "either task_vector or base and model"],
  ["a base alone", { base: "w", rank: 1 }, "invalid-recipe", "current value is base"],
  [
    "all three",
    { task_vector: "v", base: "w", model: "w", rank: 1 },
    "invalid-recipe",
    "current value is task_vector, base, model",
  ],
  ["an unknown key", { task_vector: "v", ranks: 1, rank: 1 }, "invalid-recipe", '"rank"'],
  ["weights as a task vector", { task_vector: "w", rank: 1 }, "invalid-recipe", "of kind weights"],
  ["a task vector as model", { base: "w", model: "v", rank: 1 }, "invalid-recipe", "task_vector"],
  ["models that differ", { base: "w", model: "other", rank: 1 }, "mismatch", "F32 [1, 2] in other"],
  ["nothing to factor", { task_vector: "flat", rank: 1 }, "invalid-recipe", "no selected tensor"],
  ["NaN", { task_vector: "holed", rank: 1 }, "non-finite", "the first such element is 1"],
  [
    "8-bit results",
    { task_vector: "v", rank: 1, out_dtype: "F8_E4M3" },
    "invalid-recipe",
    "bfloat16",
  ],
];

for (const [name, document, kind, says] of REFUSED) {
  Deno.test(`an extraction refuses ${name}`, async () => {
    const problem = await caughtProblem(() => extracted(document, sources));
    assertEquals(problem.kind, kind);
    assertStringIncludes(problem.message, says);
  });
}

Deno.test("rank and energy at their bounds and just inside", async () => {
  for (
    const [keep, rank] of [
      [{ rank: 1 }, 1],
      [{ rank: 2 }, 2],
      [{ rank: 2 ** 53 - 1 }, 2],
      [{ energy: 1 }, 2],
      [{ energy: Number.MIN_VALUE }, 1],
      [{ energy: 1 - 2 ** -53 }, 2],
    ] as const
  ) {
    const { found } = await extracted({ task_vector: "v", ...keep }, sources);
    assertEquals(found.rank, rank, JSON.stringify(keep));
  }
});

Deno.test("rank and energy of lora_svd at, inside and outside of their bounds", async () => {
  const a = await linearAdapter(
    { q: { a: [1, 0, 0, 1], b: [2, 0, 0, 1], rank: 2 } },
    loraConfig(2),
  );
  const merged = (parameters: object) =>
    mergeOpened({ merge_method: "lora_svd", models: [{ model: "a" }], parameters }, { a });
  for (
    const [parameters, rank] of [
      [{ rank: 1 }, 1],
      [{ rank: 2 }, 2],
      [{ rank: 2 ** 53 - 1 }, 2],
      [{ energy: 0.8 }, 1],
      [{ energy: 0.8 + 2 ** -52 }, 2],
      [{ energy: 1 }, 2],
      [{ energy: 2 ** -40 }, 1],
      [{ rank: [{ filter: "q", value: 1 }, { value: 2 }] }, 1],
    ] as const
  ) {
    const { reports } = await merged(parameters);
    assertEquals(reports[0]!.statistics!.rank, rank, JSON.stringify(parameters));
  }
  for (const parameters of [{ rank: 0 }, { rank: 0.5 }, { energy: 0 }, { energy: 1 + 2 ** -52 }]) {
    assertEquals((await caughtProblem(() => merged(parameters))).kind, "invalid-recipe");
  }
});

Deno.test("keptCount() keeps one of nothing and drops noise at an energy of 1", () => {
  const count = (values: number[], keep: object) =>
    keptCount(
      Float64Array.from(values),
      values.reduce((sum, value) => sum + value ** 2, 0),
      keep,
    );
  assertEquals(count([0, 0], { energy: 1 }), 1);
  assertEquals(count([0, 0], { rank: 5 }), 2);
  assertEquals(count([1, 1e-15, 1e-16], { energy: 1 }), 1);
  assertEquals(count([1, 1e-9], { energy: 1 }), 2);
  assertEquals(count([2, 1], { energy: 0.8 }), 1);
});

Deno.test("a tall matrix in several blocks is Q times R", async () => {
  const [rows, columns] = [2500, 3];
  const data = Float64Array.from({ length: rows * columns }, (_, i) => Math.sin(1 + i * i % 97));
  const { r, times } = await tallQr({ rows, columns, data }, () => Promise.resolve());
  const back = await times(r);
  assert(back.data.every((value, i) => Math.abs(value - data[i]!) < 1e-12));
  const identity = { rows: 3, columns: 3, data: Float64Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1) };
  const q = (await times(identity)).data;
  for (let i = 0; i < 3; i++) {
    for (let j = 0; j < 3; j++) {
      let dot = 0;
      for (let row = 0; row < rows; row++) dot += q[row * 3 + i]! * q[row * 3 + j]!;
      assert(Math.abs(dot - Number(i === j)) < 1e-13);
    }
  }
});
