import { assert, assertEquals } from "@std/assert";
import { memorySource } from "../../core/checkpoint/memory_source.ts";
import { openSafetensors } from "../../core/checkpoint/open_safetensors.ts";
import { layoutSafetensors } from "../../core/checkpoint/write_safetensors.ts";
import { decodeTo } from "../../core/tensor/codec.ts";
import { type DType, DTYPES, elementCount } from "../../core/tensor/dtype.ts";
import { OUR_FILES, ourBytes } from "../../fixtures/corpus/ours.ts";

const CORPUS = new URL("../../fixtures/corpus/", import.meta.url);
const LITTLE_ENDIAN = true;

interface Expected {
  readonly metadata: Record<string, string>;
  readonly tensors: readonly {
    readonly name: string;
    readonly dtype: DType;
    readonly shape: readonly number[];
    readonly values: readonly (number | string)[];
  }[];
}

/** The elements as the JSON files write them: numbers, and strings for what JSON has no number for. */
function written(dtype: DType, bytes: Uint8Array, count: number): (number | string)[] {
  if (DTYPES[dtype].kind === "float") {
    const values = new Float32Array(count);
    decodeTo(dtype, bytes, values);
    return Array.from(values, (x) => Object.is(x, -0) ? "-0" : Number.isFinite(x) ? x : String(x));
  }
  const width = DTYPES[dtype].bytes;
  return Array.from({ length: count }, (_, i) => {
    let value = 0n;
    for (let k = width - 1; k >= 0; k--) value = value << 8n | BigInt(bytes[i * width + k]!);
    if (dtype.startsWith("I")) value = BigInt.asIntN(8 * width, value);
    const small = -(2n ** 53n) < value && value < 2n ** 53n;
    return small ? Number(value) : String(value);
  });
}

async function* pythonFiles(): AsyncGenerator<[string, Uint8Array<ArrayBuffer>, Expected]> {
  for await (const { name } of Deno.readDir(CORPUS)) {
    if (!/^py_.*\.safetensors$/.test(name)) continue;
    const expected = await Deno.readTextFile(new URL(name.replace("safetensors", "json"), CORPUS));
    yield [name, await Deno.readFile(new URL(name, CORPUS)), JSON.parse(expected)];
  }
}

Deno.test("every file that the Python library wrote is read as it says", async () => {
  let files = 0;
  const dtypes = new Set<string>();
  for await (const [file, bytes, expected] of pythonFiles()) {
    const checkpoint = await openSafetensors(memorySource(bytes), { name: file });
    assertEquals(
      Object.entries(checkpoint.metadata).sort(),
      Object.entries(expected.metadata).sort(),
    );
    const found = [];
    for (const { name, dtype, shape, source, start, end } of checkpoint.tensors.values()) {
      const values = written(dtype, await source.slice(start, end), elementCount(shape));
      found.push({ name, dtype, shape, values });
      dtypes.add(dtype);
    }
    assertEquals(found, [...expected.tensors], file);
    files++;
  }
  assertEquals(files, 8);
  assertEquals([...dtypes].sort(), Object.keys(DTYPES).sort());
});

Deno.test("our writer lays files out as the Python library does, byte for byte", async () => {
  for await (const [file, bytes, expected] of pythonFiles()) {
    // The library writes several metadata keys in random order, ours are sorted.
    if (Object.keys(expected.metadata).length > 1) continue;
    const { header, byteLength } = layoutSafetensors(expected.tensors, expected.metadata);
    assertEquals(header, bytes.slice(0, header.length), file);
    assertEquals(byteLength, bytes.length);
  }
});

Deno.test("our writer writes the files that the Python library was checked to read", async () => {
  for (const file of OUR_FILES) {
    const stored = await Deno.readFile(new URL(`${file.stem}.safetensors`, CORPUS));
    assertEquals(ourBytes(file), stored, file.stem);
  }
});

Deno.test("the length of a header of the corpus is little-endian and a multiple of 8", async () => {
  for await (const [, bytes] of pythonFiles()) {
    const length = new DataView(bytes.buffer).getBigUint64(0, LITTLE_ENDIAN);
    assert(length % 8n === 0n && 8n + length <= BigInt(bytes.length));
  }
});
