import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { ByteSource } from "../../core/checkpoint/byte_source.ts";
import type { StoredTensor } from "../../core/checkpoint/checkpoint.ts";
import { memorySource } from "../../core/checkpoint/memory_source.ts";
import { openCheckpoint } from "../../core/checkpoint/open_checkpoint.ts";
import { openOnnx } from "../../core/checkpoint/open_onnx.ts";
import { caughtProblem } from "../support/caught_problem.ts";
import {
  bytesField,
  entryField,
  externalFields,
  floatBytes,
  messageOf,
  modelBytes,
  numberField,
  tensorFields,
  type WriteField,
} from "../support/onnx_bytes.ts";

const RAW = 9;

const noFiles = () => Promise.reject(new Error("There is no other file"));

function open(bytes: Uint8Array) {
  return openOnnx(memorySource(bytes), noFiles, { name: "net" });
}

async function bytesOf({ source, start, end }: StoredTensor): Promise<number[]> {
  return [...await source.slice(start, end)];
}

/** An unpacked or packed field of numbers, as protobuf writes both. */
function packed(field: number, values: readonly number[]): WriteField {
  return bytesField(field, messageOf(values.map((value) => (writer) => writer.int32(value))));
}

Deno.test("initializers are tensors however their values are stored", async () => {
  const float = floatBytes([1, -2.5]);
  const double = new Uint8Array(Float64Array.of(3, 4).buffer);
  const cases: [string, number, number[], readonly WriteField[], string, Uint8Array][] = [
    ["raw", 1, [2], [bytesField(RAW, float)], "F32", float],
    ["packed", 1, [2, 1], [bytesField(4, float)], "F32", float],
    [
      "unpacked",
      1,
      [2],
      [(w) => w.tag(4, 5).float(1), (w) => w.tag(4, 5).float(-2.5)],
      "F32",
      float,
    ],
    ["double", 11, [2], [bytesField(10, double)], "F64", double],
    ["half", 10, [2], [packed(5, [0x3c00, 0xc100])], "F16", Uint8Array.of(0, 0x3c, 0, 0xc1)],
    [
      "brain",
      16,
      [1],
      [bytesField(RAW, Uint8Array.of(0x80, 0x3f))],
      "BF16",
      Uint8Array.of(0x80, 0x3f),
    ],
    ["integer", 7, [1], [packed(7, [5])], "I64", Uint8Array.of(5, 0, 0, 0, 0, 0, 0, 0)],
    ["flag", 9, [2], [packed(5, [1, 0])], "BOOL", Uint8Array.of(1, 0)],
    ["scalar", 1, [], [bytesField(RAW, floatBytes([7]))], "F32", floatBytes([7])],
    ["none", 1, [0, 3], [], "F32", new Uint8Array()],
    [
      "small",
      17,
      [2],
      [bytesField(RAW, Uint8Array.of(0x38, 0xb8))],
      "F8_E4M3",
      Uint8Array.of(0x38, 0xb8),
    ],
  ];
  const model = modelBytes(
    cases.map(([name, type, shape, values]) => [...tensorFields(name, type, shape), ...values]),
    { model: [entryField(14, "kind", "task_vector"), entryField(14, "by", "hand")] },
  );
  const checkpoint = await open(model);
  assertEquals([checkpoint.kind, checkpoint.metadata], [
    "task_vector",
    { kind: "task_vector", by: "hand" },
  ]);
  assertEquals([...checkpoint.tensors.keys()], cases.map(([name]) => name));
  for (const [name, , shape, , dtype, bytes] of cases) {
    const tensor = checkpoint.tensors.get(name)!;
    assertEquals([name, tensor.dtype, tensor.shape], [name, dtype, shape]);
    assertEquals(await bytesOf(tensor), [...bytes]);
  }
  // Values that lie in the file as in memory are read from there.
  assertEquals(model[checkpoint.tensors.get("packed")!.start], float[0]);
});

Deno.test("the shape may be packed, and the values may come before all else", async () => {
  const fields = [bytesField(RAW, floatBytes([1, 2, 3, 4])), packed(1, [2, 2]), numberField(2, 1)];
  const { tensors } = await open(modelBytes([[...fields, bytesField(8, Uint8Array.of(119))]]));
  assertEquals(tensors.get("w")!.shape, [2, 2]);
});

Deno.test("what is wrong with a model is told with its tensor and byte", async () => {
  const w = tensorFields("w", 1, [2]);
  const whole = modelBytes([[...w, bytesField(RAW, floatBytes([1, 2]))]]);
  const cases: [Uint8Array, string, string][] = [
    [modelBytes([[...w, bytesField(RAW, floatBytes([1]))]]), "needs 8 bytes", "invalid-checkpoint"],
    [modelBytes([[...w]]), "needs 8 bytes", "invalid-checkpoint"],
    [modelBytes([w.slice(0, 2)]), "must have names", "invalid-checkpoint"],
    [
      modelBytes([[...w, bytesField(RAW, floatBytes([1, 2]))], [...w]]),
      "names of their own",
      "invalid-checkpoint",
    ],
    [modelBytes([tensorFields("w", 8, [2])]), "current value is 8", "unsupported-dtype"],
    [modelBytes([tensorFields("w", 22, [2])]), "current value is 22", "unsupported-dtype"],
    [
      modelBytes([[numberField(1, -1n), ...tensorFields("w", 1, [])]]),
      "from 0 to 2^53",
      "invalid-checkpoint",
    ],
    [
      modelBytes([tensorFields("w", 1, [2 ** 30, 2 ** 30])]),
      "fewer than 2^53",
      "invalid-checkpoint",
    ],
    [modelBytes([], { graph: [bytesField(15, [])] }), "sparse", "invalid-checkpoint"],
    [modelBytes([[...w, bytesField(3, [])]]), "segments", "invalid-checkpoint"],
    [modelBytes([], { model: [bytesField(7, [])] }), "two graphs", "invalid-checkpoint"],
    [messageOf([numberField(1, 8)]), "no graph", "invalid-checkpoint"],
    [whole.slice(0, -1), "a field of", "invalid-checkpoint"],
    [whole.slice(0, 20), "a field of", "invalid-checkpoint"],
  ];
  for (const [bytes, says, kind] of cases) {
    const problem = await caughtProblem(() => open(bytes));
    assertEquals([problem.kind, problem.members.source], [kind, "net"], problem.message);
    assertStringIncludes(problem.message, says);
  }
  // Wherever a file is cut, it is damaged, not half a checkpoint.
  for (let length = 0; length < whole.length; length++) {
    const problem = await caughtProblem(() => open(whole.slice(0, length)));
    assertEquals([length, problem.kind], [length, "invalid-checkpoint"]);
  }
});

Deno.test("external data is found by place, and refused where it lies elsewhere", async () => {
  const files: Record<string, Uint8Array> = {
    "sub/data.bin": floatBytes([0, 1, 2, 3]),
  };
  const opened: string[] = [];
  const closed: string[] = [];
  const openBeside = (path: string): Promise<ByteSource> => {
    const bytes = files[path];
    if (!bytes) return Promise.reject(new Error(path));
    opened.push(path);
    return Promise.resolve({ ...memorySource(bytes), close: () => void closed.push(path) });
  };
  const external = (entries: Record<string, string | number>, name = "w", size = 2) => [
    ...tensorFields(name, 1, [size]),
    ...externalFields(entries),
  ];
  const location = "sub/data.bin";
  const good = modelBytes([
    external({ location, offset: 8, length: 8 }),
    external({ location }, "v", 4),
  ]);
  const checkpoint = await openOnnx(memorySource(good), openBeside, {});
  assertEquals(await bytesOf(checkpoint.tensors.get("w")!), [...floatBytes([2, 3])]);
  assertEquals(await bytesOf(checkpoint.tensors.get("v")!), [...floatBytes([0, 1, 2, 3])]);
  assertEquals(checkpoint.byteLength, good.length + 16);
  checkpoint.close();
  assertEquals([opened, closed], [[location], [location]]);
  const bad: [Record<string, string | number>, string][] = [
    [{ location, offset: 12 }, "must lie inside the 16 bytes"],
    [{ location, offset: -8 }, "must lie inside"],
    [{ location, offset: "x" }, "must lie inside"],
    [{ location, length: 4 }, "needs 8 bytes"],
    [{ location: "../data.bin" }, "beside the model"],
    [{ location: "/data.bin" }, "beside the model"],
    [{ location: "file:x" }, "beside the model"],
    [{}, "beside the model"],
  ];
  for (const [entries, says] of bad) {
    const before = [opened.length, closed.length];
    const problem = await caughtProblem(() =>
      openOnnx(memorySource(modelBytes([external(entries)])), openBeside, {})
    );
    assertEquals(problem.kind, "invalid-checkpoint");
    assertStringIncludes(problem.message, says);
    assertEquals(opened.length - before[0]!, closed.length - before[1]!);
  }
});

Deno.test("a model of 2 GB is opened by reading a few kilobytes of it", async () => {
  const size = 250_000_000;
  const heads = Array.from({ length: 8 }, (_, i) => {
    const fields = messageOf(tensorFields(`w${i}`, 1, [size / 4]));
    // Everything of the tensor but its values, of which only the tag and length are written.
    const raw = messageOf([(writer) => writer.tag(RAW, 2).uint32(size)]);
    const length = fields.length + raw.length + size;
    return [...messageOf([(writer) => writer.tag(5, 2).uint32(length)]), ...fields, ...raw];
  });
  const graph = heads.reduce((sum, head) => sum + head.length + size, 0);
  const prefix = [8, 8, ...messageOf([(writer) => writer.tag(7, 2).uint32(graph)])];
  const suffix = [...messageOf([bytesField(8, [numberField(2, 17)])])];
  const byteLength = prefix.length + graph + suffix.length;
  const written = new Map<number, number>();
  let at = 0;
  const write = (bytes: readonly number[]) => bytes.forEach((byte) => written.set(at++, byte));
  write(prefix);
  for (const head of heads) {
    write(head);
    at += size;
  }
  write(suffix);
  let read = 0;
  const source: ByteSource = {
    byteLength,
    slice(start, end) {
      read += end - start;
      const bytes = Uint8Array.from({ length: end - start }, (_, i) => written.get(start + i) ?? 0);
      return Promise.resolve(bytes);
    },
  };
  const { tensors, ...rest } = await openCheckpoint(source, noFiles, { name: "big" });
  assertEquals([tensors.size, rest.byteLength], [8, byteLength]);
  const last = tensors.get("w7")!;
  assertEquals([last.end, last.end - last.start], [byteLength - suffix.length, size]);
  assert(read < 200_000, String(read));
});
