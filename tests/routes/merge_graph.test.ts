import { assertAlmostEquals, assertEquals, assertStringIncludes } from "@std/assert";
import { loadRuntime } from "../../core/engine/load_runtime.ts";
import { numbersOf } from "../../core/onnx/element_type.ts";
import { readModel } from "../../core/onnx/read_model.ts";
import { checkpointBytes, type TestCheckpoint } from "../support/merging.ts";
import {
  type Files,
  mergedBytes,
  postRecipe,
  problemOf,
  shardedFixture,
} from "../support/merge_requests.ts";
import { bytesField, floatBytes, modelBytes, tensorFields } from "../support/onnx_bytes.ts";
import { testApp } from "../support/service.ts";

const MEAN = {
  merge_method: "linear",
  models: [{ model: "base" }, { model: "tuned" }],
  output: { format: "onnx", graph: "net" },
};

async function post(path: string, recipe: unknown, uploads: Files): Promise<Response> {
  const { app, close } = testApp();
  const response = await postRecipe(app, path, recipe, uploads);
  const copy = new Response(await response.arrayBuffer(), response);
  await close();
  return copy;
}

Deno.test("a framework's checkpoints are merged into the graph that its exporter wrote", async () => {
  const { classifier } = JSON.parse(new TextDecoder().decode(shardedFixture("expected.json")));
  const uploads = {
    base: shardedFixture("classifier_base.safetensors"),
    tuned: shardedFixture("classifier_tuned.safetensors"),
    net: shardedFixture("classifier_folded.onnx"),
  };
  const merged = await mergedBytes(await post("/merge", MEAN, uploads));
  const plan = await (await post("/plan", MEAN, uploads)).json();
  assertEquals(plan.bytes_out, merged.length);
  const { InferenceSession, Tensor } = await loadRuntime();
  const session = await InferenceSession.create(merged);
  const image = new Tensor("float32", Float32Array.from(classifier.image), [3, 1, 8, 8]);
  const { logits } = await session.run({ image });
  (logits!.data as Float32Array).forEach((value, i) =>
    assertAlmostEquals(value, classifier.mean_logits[i], 1e-5)
  );
  await session.release();
});

const BASE: TestCheckpoint = {
  up: { shape: [2, 3], values: [1, 2, 3, 4, 5, 6] },
  kept: [7, 8],
  tied: { shape: [2, 3], values: [1, 2, 3, 4, 5, 6] },
};
const TUNED: TestCheckpoint = {
  up: { shape: [2, 3], values: [3, 4, 5, 6, 7, 8] },
  kept: [9, 10],
  tied: { shape: [2, 3], values: [3, 4, 5, 6, 7, 8] },
};

function float(name: string, shape: readonly number[], values: readonly number[]) {
  return [...tensorFields(name, 1, shape), bytesField(9, floatBytes(values))];
}

function uploadsOf(
  initializers: Parameters<typeof modelBytes>[0],
  without: readonly string[] = [],
): Files {
  const keep = (checkpoint: TestCheckpoint) =>
    checkpointBytes(
      Object.fromEntries(Object.entries(checkpoint).filter(([name]) => !without.includes(name))),
    );
  return { base: keep(BASE), tuned: keep(TUNED), net: modelBytes(initializers) };
}

Deno.test("a weight that stands twice is written twice, and others stay as they are", async () => {
  const uploads = uploadsOf([
    float("MatMul_1", [3, 2], [1, 4, 2, 5, 3, 6]),
    float("Gather_2", [2, 1, 3], [1, 2, 3, 4, 5, 6]),
    float("kept", [2], [7, 8]),
    float("scale", [], [0.125]),
  ], ["tied"]);
  const merged = readModel(await mergedBytes(await post("/merge", MEAN, uploads)));
  const values = Object.fromEntries(
    [...merged.graph.initializers].map(([name, tensor]) => [
      name,
      [tensor.shape, numbersOf(tensor)],
    ]),
  );
  assertEquals(values, {
    MatMul_1: [[3, 2], [2, 5, 3, 6, 4, 7]],
    Gather_2: [[2, 1, 3], [2, 3, 4, 5, 6, 7]],
    kept: [[2], [8, 9]],
    scale: [[], [0.125]],
  });
});

Deno.test("a weight that the exporter kept once for two is told of", async () => {
  const uploads = uploadsOf([
    float("up", [2, 3], [1, 2, 3, 4, 5, 6]),
    float("kept", [2], [7, 8]),
  ]);
  const plan = await (await post("/plan", MEAN, uploads)).json();
  assertEquals(plan.warnings, [
    'The graph has one place for "tied" and "up", which are equal in the base model: it takes the values of "up"',
  ]);
});

Deno.test("a tensor without a place, or with several, is refused", async () => {
  const up = float("up", [2, 3], [1, 2, 3, 4, 5, 6]);
  const kept = float("kept", [2], [7, 8]);
  const cases: [Files, string][] = [
    [uploadsOf([up], ["tied"]), 'the tensor "kept" into the graph as no initializer'],
    [uploadsOf([up, float("kept", [1, 2], [7, 8])], ["tied"]), "has the shape [1, 2]"],
    [uploadsOf([float("x", [2, 3], [1, 2, 3, 4, 5, 6]), kept]), "several have these values"],
    [
      { ...uploadsOf([up, kept], ["tied"]), net: checkpointBytes(BASE) },
      "output.graph must name an ONNX model",
    ],
  ];
  for (const [uploads, says] of cases) {
    const problem = await problemOf(await post("/plan", MEAN, uploads));
    assertEquals(problem.status, 422);
    assertStringIncludes(problem.detail, says);
  }
  const wide = { ...MEAN, out_dtype: "float16" };
  const problem = await problemOf(await post("/plan", wide, uploadsOf([up, kept], ["tied"])));
  assertStringIncludes(problem.detail, "it must be F32 [2]: current value is F16 [2]");
  const format = { ...MEAN, output: { graph: "net" } };
  const refused = await problemOf(await post("/plan", format, uploadsOf([up, kept])));
  assertEquals(refused.errors!.map(({ path }) => path), ["output.graph"]);
});
