import { assertEquals, assertStringIncludes } from "@std/assert";
import { memorySource } from "../../core/checkpoint/memory_source.ts";
import { openSafetensors } from "../../core/checkpoint/open_safetensors.ts";
import { caughtProblem } from "../support/caught_problem.ts";
import { safetensorsBytes } from "../support/safetensors_bytes.ts";

/** Bytes from a string whose characters are bytes. */
function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

const CASES: readonly (readonly [string, string, string])[] = [
  ["PK\x03\x04\x00\x00\x08\x08\x00\x00", "pytorch", "weights_only=True"],
  ["\x80\x02\x8a\x0al\xfc\x9cF\xf9 j", "pickle", "safetensors.torch.save_file"],
  ["\x80\x04\x95\x1a\x00\x00\x00\x00\x00\x00\x00}", "pickle", "pickle"],
  ["GGUF\x03\x00\x00\x00\x00", "gguf", "quantized"],
  ["\x89HDF\r\n\x1a\n\x00", "hdf5", "HDF5"],
  ["\x93NUMPY\x01\x00v\x00{", "npy", "without a name"],
  ["\x08\x08\x12\x07pytorch\x1a\x05", "onnx", "Save its initializers"],
  ["\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff", "gzip", "Decompress"],
  ["<!DOCTYPE html><html>", "html", "login page"],
  ["  \n<html lang=en>", "html", "web page"],
  ['<?xml version="1.0"?><Error>', "html", "XML"],
  ['{"error":"not found"}', "json", "error message"],
  ["{}", "json", "JSON text"],
  [
    '{"metadata":{"total_size":8},"weight_map":{"a":"model-00001-of-00002.safetensors"}}',
    "safetensors-index",
    "by url, path or hub",
  ],
  ["version https://git-lfs.github.com/spec/v1\noid sha256:", "git-lfs", "git lfs pull"],
];

Deno.test("other formats are recognized and the detail says what to do instead", async () => {
  for (const [text, format, says] of CASES) {
    const problem = await caughtProblem(() =>
      openSafetensors(memorySource(latin1(text)), { name: "code" })
    );
    const { kind, members } = problem;
    assertEquals({ text, kind, members }, {
      text,
      kind: "unsupported-format",
      members: { source: "code", format },
    });
    assertStringIncludes(problem.message, says);
    assertStringIncludes(problem.message, `current format is ${format}`);
  }
});

Deno.test("a header whose length looks like another format's mark is read all the same", async () => {
  // 0x0280, 0x120808 and 0x088b1f: the first bytes of a pickle, an ONNX model and a gzip file.
  for (const length of [0x0280, 0x120808, 0x088b1f]) {
    const bytes = safetensorsBytes("{}".padEnd(length, " "), 0);
    const checkpoint = await openSafetensors(memorySource(bytes));
    assertEquals(checkpoint.tensors.size, 0);
  }
});

Deno.test("a damaged header is not mistaken for a pickle or an ONNX model", async () => {
  for (const length of [0x0280, 0x120808]) {
    const bytes = safetensorsBytes("x".padEnd(length, " "), 0);
    const problem = await caughtProblem(() => openSafetensors(memorySource(bytes)));
    assertEquals([problem.kind, problem.members.byte], ["invalid-checkpoint", 8]);
  }
});

Deno.test("a mark that could be a header's length is recognized where no header follows", async () => {
  // Read as a length, this gzip mark is 559903 and lies inside the file.
  const bytes = new Uint8Array(600_000);
  bytes.set(latin1("\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff"));
  const problem = await caughtProblem(() => openSafetensors(memorySource(bytes)));
  assertEquals([problem.kind, problem.members.format], ["unsupported-format", "gzip"]);
});
