import { assert, assertAlmostEquals, assertEquals, assertStringIncludes } from "@std/assert";
import { loadRuntime } from "../../core/engine/load_runtime.ts";
import { numbersOf } from "../../core/onnx/element_type.ts";
import { readModel } from "../../core/onnx/read_model.ts";
import { startFileServer } from "../support/file_server.ts";
import { checkpointBytes } from "../support/merging.ts";
import {
  type Files,
  floatsOf,
  mergedBytes,
  postRecipe,
  problemOf,
  shardedFixture,
} from "../support/merge_requests.ts";
import {
  bytesField,
  entryField,
  floatBytes,
  modelBytes,
  tensorFields,
} from "../support/onnx_bytes.ts";
import { inFolder } from "../support/temporary_folder.ts";
import { testApp, type TestAppOptions } from "../support/service.ts";

const { classifier: expected } = JSON.parse(
  new TextDecoder().decode(shardedFixture("expected.json")),
);
const base = shardedFixture("classifier_base.onnx");
const tuned = shardedFixture("classifier_tuned.onnx");

const MEAN = {
  merge_method: "linear",
  models: [{ model: "base" }, { model: "tuned" }],
  output: { format: "onnx" },
};

/** Posts to an application of its own. */
async function post(
  path: string,
  recipe: unknown,
  uploads: Files = {},
  options: TestAppOptions = {},
): Promise<Response> {
  const { app, close } = testApp({ chunkElements: 4096, ...options });
  const response = await postRecipe(app, path, recipe, uploads);
  const copy = new Response(await response.arrayBuffer(), response);
  await close();
  return copy;
}

/** What ONNX Runtime computes of the fixture's image. */
async function logitsOf(model: Uint8Array): Promise<number[]> {
  const { InferenceSession, Tensor } = await loadRuntime();
  const session = await InferenceSession.create(model);
  const image = new Tensor("float32", Float32Array.from(expected.image), [3, 1, 8, 8]);
  const { logits } = await session.run({ image });
  const values = [...logits!.data as Float32Array];
  await session.release();
  return values;
}

function assertClose(actual: readonly number[], wanted: readonly number[]): void {
  assertEquals(actual.length, wanted.length);
  wanted.forEach((value, i) => assertAlmostEquals(actual[i]!, value, 1e-5));
}

Deno.test("the mean of two ONNX models is an ONNX model that computes what PyTorch's mean does", async () => {
  const response = await post("/merge", MEAN, { base, tuned });
  assertStringIncludes(response.headers.get("content-disposition")!, '"merged-linear.onnx"');
  const merged = await mergedBytes(response);
  assertClose(await logitsOf(merged), expected.mean_logits);
  const before = readModel(base);
  const after = readModel(merged);
  assertEquals(after.graph.nodes, before.graph.nodes);
  assertEquals([after.graph.inputs, after.opsets], [before.graph.inputs, before.opsets]);
  assertEquals(after.metadata.kind, "weights");
  assertStringIncludes(after.metadata["amalgam.recipe"]!, '"merge_method":"linear"');
  const plan = await (await post("/plan", MEAN, { base, tuned })).json();
  assertEquals(plan.bytes_out, merged.length);
  // Merged again, the result's own metadata takes the place of the first one's.
  const again = await mergedBytes(await post("/merge", MEAN, { base: merged, tuned: merged }));
  assertEquals(again.length - merged.length, 0);
  assertClose(await logitsOf(again), expected.mean_logits);
});

Deno.test("initializers become tensors of the same names where safetensors are asked for", async () => {
  const { output: _, ...recipe } = MEAN;
  const values = await floatsOf(
    await mergedBytes(await post("/merge", { ...recipe, models: [{ model: "base" }] }, { base })),
  );
  const state = await floatsOf(shardedFixture("classifier_base.safetensors"));
  assertEquals(values, state);
});

Deno.test("weights beside the model are read from there, by URL and among the operator's files", async () => {
  const route = (path: string) => shardedFixture(path.slice("/models/".length));
  const server = startFileServer(route);
  const recipe = {
    ...MEAN,
    sources: {
      base: { url: `${server.url}/models/classifier_external.onnx` },
      tuned: { upload: true },
    },
  };
  const options = { sourceHosts: [server.host] };
  const merged = await mergedBytes(await post("/merge", recipe, { tuned }, options));
  assertClose(await logitsOf(merged), expected.mean_logits);
  await server.close();
  await inFolder(async (files) => {
    for (const name of ["classifier_external.onnx", "classifier_external.bin"]) {
      Deno.writeFileSync(`${files}/${name}`, shardedFixture(name));
    }
    const own = { path: "classifier_external.onnx" };
    const local = { ...MEAN, models: [{ model: "base" }], sources: { base: own } };
    const copy = await mergedBytes(await post("/merge", local, {}, { files }));
    assertClose(await logitsOf(copy), expected.base_logits);
    Deno.removeSync(`${files}/classifier_external.bin`);
    const problem = await problemOf(await post("/plan", local, {}, { files }));
    assertEquals(problem.kind, "not-found");
  });
});

Deno.test("a safetensors checkpoint of the graph's names is merged into an ONNX base", async () => {
  const recipe = {
    ...MEAN,
    base_model: "base",
    merge_method: "task_arithmetic",
    models: [{ model: "tuned", parameters: { weight: 0.5 } }],
    // The graph has no use for the counter that the framework keeps.
    extra: "omit",
  };
  const uploads = { base, tuned: shardedFixture("classifier_tuned.safetensors") };
  const merged = await mergedBytes(await post("/merge", recipe, uploads));
  assertClose(await logitsOf(merged), expected.mean_logits);
});

Deno.test("half precision and integers stay what they are in the graph", async () => {
  const half = (bits: readonly number[]) => new Uint8Array(Uint16Array.from(bits).buffer);
  const model = (bits: readonly number[], kept: string) =>
    modelBytes([
      [...tensorFields("w", 10, [2]), bytesField(9, half(bits))],
      [
        ...tensorFields("shape", 7, [1]),
        bytesField(9, new Uint8Array(BigInt64Array.of(2n).buffer)),
      ],
      [...tensorFields("b", 1, [1]), bytesField(4, floatBytes([3]))],
    ], { model: [entryField(14, "kept", kept), entryField(14, "amalgam.seed", "old")] });
  // 1 and 2; 3 and 4.
  const uploads = { base: model([0x3c00, 0x4000], "a"), tuned: model([0x4200, 0x4400], "b") };
  const merged = readModel(await mergedBytes(await post("/merge", MEAN, uploads)));
  const tensors = Object.fromEntries(
    [...merged.graph.initializers].map((
      [name, tensor],
    ) => [name, [tensor.type, numbersOf(tensor)]]),
  );
  assertEquals(tensors, { w: ["float16", [2, 3]], shape: ["int64", [2]], b: ["float32", [3]] });
  assertEquals([merged.metadata.kept, merged.metadata["amalgam.seed"]], ["a", "0"]);
});

Deno.test("what the graph cannot take is refused before anything is merged", async () => {
  const state = shardedFixture("classifier_base.safetensors");
  const one = { ...MEAN, models: [{ model: "base" }] };
  const cases: [Record<string, unknown>, Files, string, string][] = [
    [{ ...one, out_dtype: "float16" }, { base }, "mismatch", "it must be F32 [4, 1, 3, 3]"],
    [
      { ...one, tensors: { exclude: ["head.*"], otherwise: "omit" } },
      { base },
      "mismatch",
      "the result leaves it out",
    ],
    [
      {
        ...MEAN,
        models: [{ model: "tuned" }],
        base_model: "base",
        merge_method: "task_arithmetic",
        extra: "copy",
      },
      { base, tuned: checkpointBytes({ other: [1] }) },
      "mismatch",
      "missing",
    ],
    [{ ...one }, { base: state }, "invalid-recipe", "must be an ONNX model"],
    [
      { ...one, output: { format: "onnx", shard_size: "1MB" } },
      { base },
      "invalid-recipe",
      "an ONNX model is one file",
    ],
    [{ ...one, output: { format: "gguf" } }, { base }, "invalid-recipe", '"safetensors" or "onnx"'],
  ];
  for (const [recipe, uploads, kind, says] of cases) {
    const problem = await problemOf(await post("/plan", recipe, uploads));
    assertEquals([problem.kind, problem.status], [kind, 422], problem.detail);
    assertStringIncludes(
      JSON.stringify([problem.detail, problem.errors]).replaceAll("\\", ""),
      says,
    );
    assert(problem.errors!.length > 0);
  }
});

Deno.test("a client that leaves ends the merge into an ONNX model", async () => {
  const { app, close } = testApp();
  const response = await postRecipe(app, "/merge", MEAN, { base, tuned });
  await response.body!.cancel();
  const path = /^<([^>]+)>/.exec(response.headers.get("link")!)![1]!;
  const report = await (await app.request(path)).json();
  assertEquals(report.state, "failed");
  await close();
});
