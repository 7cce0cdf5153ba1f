import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { numbersOf, tensorOf } from "../../core/onnx/element_type.ts";
import { readModel } from "../../core/onnx/read_model.ts";
import { readValues } from "../../core/gradient/parameters.ts";
import { onnxWorkspace } from "../../core/engine/onnx_workspace.ts";
import type { OnnxTensor } from "../../core/onnx/model.ts";
import { testApp } from "../support/service.ts";
import {
  rows,
  safetensorsOf,
  smallRequest,
  smallUploads,
  weights,
} from "../support/small_model.ts";
import { checkpointOf, postDocument, type Upload } from "../support/tuning.ts";

const NEVER = new AbortController().signal;

type Answer = {
  checkpoint: { id: string };
  task_vector: { id: string };
  steps: number;
  examples: number;
  loss: number[];
  before: { loss: number; accuracy: number; examples: number };
  after: { loss: number; accuracy: number };
  tensors: Record<string, unknown>;
};

async function tuned(
  changes: Parameters<typeof smallRequest>[0] = {},
  uploads: Upload[] = smallUploads(),
) {
  const { app, faults, close } = testApp();
  try {
    const response = await postDocument(app, "/tune", smallRequest(changes), uploads);
    const answer: Answer & { detail?: string } = await response.json();
    assertEquals(response.status, 200, `${answer.detail} ${faults}`);
    const bytes = async (id: string) =>
      new Uint8Array(await (await app.request(`/checkpoints/${id}`)).arrayBuffer());
    return {
      answer,
      result: await checkpointOf(await bytes(answer.checkpoint.id)),
      vector: await checkpointOf(await bytes(answer.task_vector.id)),
    };
  } finally {
    await close();
  }
}

Deno.test("tuning lowers the loss, uses the short last batch, and tells of both ends", async () => {
  const { answer, result, vector } = await tuned({ local: { epochs: 30 } });
  assertEquals([answer.steps, answer.examples], [90, 600]);
  assertEquals(answer.loss.length, 90);
  assertEquals(answer.before.examples, 20);
  assert(answer.after.loss < 0.9 * answer.before.loss);
  assert(answer.after.accuracy >= answer.before.accuracy);
  assertEquals(vector.kind, "task_vector");
  const start = weights(1);
  for (const [name, tensor] of Object.entries(start)) {
    const before = numbersOf(tensor);
    const after = await readValues(result.tensors.get(name)!, NEVER);
    const delta = await readValues(vector.tensors.get(name)!, NEVER);
    delta.forEach((value, i) => assertEquals(value, Math.fround(after[i]! - before[i]!)));
  }
});

Deno.test("the same request gives the same bytes; another seed gives another order", async () => {
  const [first, again, other] = [await tuned(), await tuned(), await tuned({ seed: 1 })];
  assertEquals(first.answer.checkpoint, again.answer.checkpoint);
  assertEquals(first.answer.loss, again.answer.loss);
  assert(first.answer.checkpoint.id !== other.answer.checkpoint.id);
});

Deno.test("running epoch numbers continue the order of the rows", async () => {
  const two = await tuned({ local: { epochs: 2 } });
  const second = await tuned({ local: { epochs: 1, first_epoch: 2 } });
  const first = await tuned({ local: { epochs: 1 } });
  assertEquals(two.answer.loss.slice(0, 3), first.answer.loss);
  assert(second.answer.loss[0] !== first.answer.loss[0]);
});

Deno.test("steps instead of epochs, and a task without a start", async () => {
  const uploads = smallUploads().filter(([name]) => name !== "start");
  const { answer, result } = await tuned({
    start: undefined,
    local: { epochs: undefined, steps: 4 },
  }, uploads);
  assertEquals([answer.steps, answer.examples], [4, 8 + 8 + 4 + 8]);
  assertEquals([...result.tensors.keys()].sort(), Object.keys(weights(1)).sort());
});

Deno.test("excluded tensors keep their bytes, and private ones come from the task", async () => {
  const head = safetensorsOf({ "b.weight": weights(2)["b.weight"]! });
  const { answer, result } = await tuned(
    { trainable: { exclude: ["a.bias"] }, task: { parameters: "head" } },
    [...smallUploads(), ["head", head]],
  );
  assertEquals(answer.tensors["trained"], ["a.weight", "b.bias"]);
  for (const name of ["a.bias", "b.weight"]) {
    const kept = await readValues(result.tensors.get(name)!, NEVER);
    assertEquals([...kept], numbersOf(weights(1)[name]!));
  }
  const plain = await tuned({ trainable: { exclude: ["a.bias"] } });
  assert(plain.answer.loss[0] !== answer.loss[0]);
});

Deno.test("a proximal term holds the weights near the start, clipping holds the step", async () => {
  const length = async ({ vector }: Awaited<ReturnType<typeof tuned>>) => {
    let sum = 0;
    for (const tensor of vector.tensors.values()) {
      for (const value of await readValues(tensor, NEVER)) sum += value * value;
    }
    return Math.sqrt(sum);
  };
  const free = await length(await tuned({ local: { epochs: 10 } }));
  const held = await length(await tuned({ local: { epochs: 10, proximal: 5 } }));
  assert(held < 0.7 * free, `${held} against ${free}`);
  const one = { epochs: undefined, steps: 1, batch_size: 20 };
  assertAlmostEquals(
    await length(await tuned({ local: { ...one, clip_norm: 0.01 } })),
    0.001,
    1e-6,
  );
  const [wide, none] = [
    await tuned({ local: { ...one, clip_norm: 1e6 } }),
    await tuned({ local: one }),
  ];
  assertEquals(await length(wide), await length(none));
});

Deno.test("halves are tuned and kept as float32", async () => {
  const half = new Uint16Array(
    numbersOf(weights(1)["a.bias"]!).map((value) =>
      new Uint32Array(Float32Array.of(value).buffer)[0]! >>> 16
    ),
  );
  const { "a.bias": _, ...rest } = weights(1);
  const plain = safetensorsOf(rest);
  const text = new TextDecoder().decode(plain.subarray(8, 8 + plain[0]! + 256 * plain[1]!));
  const header = JSON.parse(text);
  const data = plain.subarray(8 + plain[0]! + 256 * plain[1]!);
  header["a.bias"] = {
    dtype: "BF16",
    shape: [5],
    data_offsets: [data.length, data.length + 10],
  };
  const json = new TextEncoder().encode(JSON.stringify(header));
  const file = new Uint8Array(8 + json.length + data.length + 10);
  new DataView(file.buffer).setBigUint64(0, BigInt(json.length), true);
  file.set(json, 8);
  file.set(data, 8 + json.length);
  file.set(new Uint8Array(half.buffer), 8 + json.length + data.length);
  const { result } = await tuned({}, [
    ...smallUploads().filter(([name]) => name !== "start"),
    ["start", file],
  ]);
  assertEquals(result.tensors.get("a.bias")?.dtype, "F32");
});

Deno.test("progress is told as events, step by step", async () => {
  const { app, close } = testApp();
  try {
    for (const type of ["application/x-ndjson", "text/event-stream"]) {
      const response = await postDocument(app, "/tune", smallRequest(), smallUploads(), {
        accept: type,
      });
      assertEquals(response.headers.get("content-type"), type);
      const lines = (await response.text()).trim().split("\n").flatMap((line) =>
        line.startsWith("{") ? [line] : line.startsWith("data: ") ? [line.slice(6)] : []
      );
      const events = lines.map((line) => JSON.parse(line)).filter(({ event }) =>
        event !== "working"
      );
      assertEquals(events.map(({ event }) => event), [
        ...Array.from({ length: 6 }, () => "step"),
        "result",
      ]);
      assertEquals(events[5].step, 6);
    }
    const failed = await postDocument(
      app,
      "/tune",
      smallRequest({ trainable: { exclude: ["*"] } }),
      smallUploads(),
      { accept: "application/x-ndjson" },
    );
    const last = JSON.parse((await failed.text()).trim().split("\n").at(-1)!);
    assertEquals([last.event, last.type], ["error", "/problems/invalid-recipe"]);
  } finally {
    await close();
  }
});

Deno.test("the task vector's bytes are the answer if the client asks for bytes", async () => {
  const { app, close } = testApp();
  try {
    const response = await postDocument(app, "/tune", smallRequest(), smallUploads(), {
      accept: "application/octet-stream",
    });
    assertEquals(response.headers.get("content-type"), "application/octet-stream");
    const vector = await checkpointOf(new Uint8Array(await response.arrayBuffer()));
    assertEquals(vector.kind, "task_vector");
  } finally {
    await close();
  }
});

Deno.test("an abort ends the tuning within a step and leaves nothing", async () => {
  const { app, ports, close } = testApp();
  try {
    const form = new FormData();
    form.append("request", JSON.stringify(smallRequest({ local: { epochs: 100_000 } })));
    for (const [name, bytes] of smallUploads()) form.append(name, new Blob([bytes]), name);
    const controller = new AbortController();
    const response = await app.request("/tune", {
      method: "POST",
      body: form,
      headers: { accept: "application/x-ndjson" },
      signal: controller.signal,
    });
    const reader = response.body!.getReader();
    for (let i = 0; i < 5; i++) await reader.read();
    controller.abort();
    for (;;) if ((await reader.read()).done) break;
    assertEquals(await ports.blobs.list(), []);
  } finally {
    await close();
  }
});

Deno.test("checkpoints are evaluated on tasks, in batches of any size", async () => {
  const { app, close } = testApp();
  try {
    const uploads: Upload[] = [...smallUploads(), ["other", safetensorsOf(weights(3))]];
    const task = { name: "small", shard: "rows", target: "y", loss: "cross_entropy" };
    const answers = [];
    for (const batch_size of [1, 7, 64]) {
      const document = { model: "net", checkpoints: ["start", "other"], tasks: [task], batch_size };
      const response = await postDocument(app, "/evaluate", document, uploads);
      const answer = await response.json();
      assertEquals(response.status, 200, answer.detail);
      answers.push(answer.checkpoints);
    }
    for (const answer of answers) {
      for (const name of ["start", "other"]) {
        assertEquals(answer[name].small.accuracy, answers[0][name].small.accuracy);
        assertAlmostEquals(answer[name].small.loss, answers[0][name].small.loss, 1e-6);
      }
    }
    assert(answers[0].start.small.loss !== answers[0].other.small.loss);
  } finally {
    await close();
  }
});

Deno.test("the training graph runs on its own, and its step is that of /tune", async () => {
  const { app, close } = testApp();
  const workspace = onnxWorkspace();
  try {
    const local = { epochs: undefined, steps: 1, batch_size: 20, shuffle: false };
    const document = smallRequest({ local });
    const uploads = smallUploads().filter(([name]) => name !== "rows");
    const response = await postDocument(app, "/training-graph", document, uploads);
    const bytes = new Uint8Array(await response.arrayBuffer());
    assertEquals(response.status, 200, new TextDecoder().decode(bytes.subarray(0, 500)));
    const { metadata } = readModel(bytes);
    const described = JSON.parse(metadata["amalgam.training"]!);
    assertEquals([described.trained.length, described.batch_size], [4, 20]);
    await workspace.load("taken home", bytes);
    const shard = await checkpointOf(rows(20));
    const raw = async (name: string) => {
      const { source, start, end } = shard.tensors.get(name)!;
      return await source.slice(start, end);
    };
    const feeds: Record<string, OnnxTensor> = {
      ...weights(1),
      x: { type: "float32", shape: [20, 4], bytes: await raw("x") },
      target: { type: "int64", shape: [20], bytes: await raw("y") },
      learning_rate: tensorOf("float64", [], [0.1]),
    };
    const names = Object.keys(weights(1)).map((name) => `updated.${name}`);
    const outputs = await workspace.run("taken home", feeds, ["loss", ...names]);
    const { answer, result } = await tuned({ local });
    assertEquals(numbersOf(outputs["loss"]!), answer.loss);
    for (const name of Object.keys(weights(1))) {
      const values = await readValues(result.tensors.get(name)!, NEVER);
      assertEquals(numbersOf(outputs[`updated.${name}`]!), [...values]);
    }
  } finally {
    await workspace.close();
    await close();
  }
});
