import { assertEquals, assertRejects } from "@std/assert";
import type { ByteSource } from "../../../core/checkpoint/byte_source.ts";
import { memorySource } from "../../../core/checkpoint/memory_source.ts";
import type { OnnxModel, OnnxTensor } from "../../../core/onnx/model.ts";
import { loadExternalData } from "../../../core/onnx/normalize/external_data.ts";
import { Problem } from "../../../core/problem.ts";
import { model, node } from "./same_results.ts";

const BYTES = Uint8Array.from({ length: 64 }, (_, i) => i);
const SIGNAL = new AbortController().signal;

function external(location: string, offset: number, length?: number): OnnxTensor {
  const bytes = new Uint8Array();
  return { type: "float32", shape: [2, 3], bytes, external: { location, offset, length } };
}

function holding(tensors: Record<string, OnnxTensor>): OnnxModel {
  const branch = { graph: model(17, {}, [], ["r"], tensors).graph };
  const nodes = Object.entries(tensors).map(([name, tensor]) => ({
    ...node("Constant", [], [`constant ${name}`], { value: { tensor } }),
  }));
  const either = node("If", ["c"], ["y"], { then_branch: branch, else_branch: branch });
  return model(17, {}, [...nodes, either], ["y"], tensors);
}

function opener() {
  const opened: string[] = [];
  const closed: string[] = [];
  const open = (location: string): Promise<ByteSource> => {
    opened.push(location);
    const source = memorySource(BYTES);
    return Promise.resolve({ ...source, close: () => void closed.push(location) });
  };
  return { open, opened, closed };
}

Deno.test("external data: initializers, constants and nested graphs; each file is opened once", async () => {
  const { open, opened, closed } = opener();
  const plain: OnnxTensor = { type: "uint8", shape: [1], bytes: Uint8Array.of(7) };
  const subject = holding({
    a: external("weights.bin", 8, 24),
    b: external("./more data.onnx.data", 40),
    plain,
  });
  const { graph } = await loadExternalData(subject, open, SIGNAL);
  const tensor = (start: number) => ({
    type: "float32" as const,
    shape: [2, 3],
    bytes: BYTES.slice(start, start + 24),
  });
  const expected = { a: tensor(8), b: tensor(40), plain };
  assertEquals(Object.fromEntries(graph.initializers), expected);
  Object.values(expected).forEach((value, i) => {
    assertEquals(graph.nodes[i]?.attributes, { value: { tensor: value } });
  });
  const branch = graph.nodes[3]?.attributes["then_branch"];
  const inner = typeof branch === "object" && "graph" in branch ? branch.graph.initializers : [];
  assertEquals(Object.fromEntries(inner), expected);
  assertEquals(opened, ["weights.bin", "more data.onnx.data"]);
  assertEquals(closed, opened);
});

Deno.test("external data: a model without any is the same model", async () => {
  const subject = model(17, {}, [node("Neg", ["x"], ["y"])], ["y"]);
  assertEquals(await loadExternalData(subject, undefined, SIGNAL) === subject, true);
});

const FAULTS: Record<string, [OnnxTensor, string]> = {
  "an absolute path": [external("/etc/passwd", 0), "current value is /etc/passwd"],
  "a folder above": [external("../w.bin", 0), "current value is ../w.bin"],
  "a folder above itself": [external("..", 0), "current value is .."],
  "a hidden folder above": [external("./../w.bin", 0), "beside the model"],
  "a folder": [external("data/w.bin", 0), "beside the model"],
  "a path of Windows": [external("c:\\w.bin", 0), "beside the model"],
  "an address": [external("https://example.org/w", 0), "beside the model"],
  "a query": [external("w.bin?x", 0), "beside the model"],
  "an encoded path": [external("%2e%2e", 0), "beside the model"],
  "no name": [external("", 0), "beside the model"],
  "the folder itself": [external("./", 0), "beside the model"],
  "a length that does not fit": [external("w.bin", 0, 20), "needs 24 bytes: current value is 20"],
  "an end beyond the file": [external("w.bin", 48), "current value is 64 bytes"],
  "a negative offset": [external("w.bin", -4), "offset must be a number of bytes"],
  "an offset that is no number": [external("w.bin", NaN), "current value is NaN"],
};

for (const [name, [tensor, says]] of Object.entries(FAULTS)) {
  Deno.test(`external data: refuses ${name}`, async () => {
    const { open, opened, closed } = opener();
    const subject = holding({ first: external("other.bin", 0), weight: tensor });
    const problem = await assertRejects(
      () => loadExternalData(subject, open, SIGNAL),
      Problem,
      says,
    );
    assertEquals([problem.kind, problem.members["tensor"]], ["invalid-checkpoint", "weight"]);
    assertEquals(closed, opened);
  });
}

Deno.test("external data: refuses a model that comes alone", async () => {
  const subject = holding({ weight: external("w.bin", 0) });
  const load = () => loadExternalData(subject, undefined, SIGNAL);
  await assertRejects(load, Problem, "no files lie beside the model: current value is w.bin");
});
