import { assert, assertEquals } from "@std/assert";
import { readHeader } from "../../../../routes/page/app/sources/read_header.ts";

const DIGITS = new URL("../../../../fixtures/digits/", import.meta.url);

async function digits(name: string): Promise<Blob> {
  return new Blob([await Deno.readFile(new URL(name, DIGITS))]);
}

/** A file of a size that nobody reads whole: zeros stand behind its beginning. It counts what is read. */
class LongFile extends Blob {
  read = 0;
  constructor(readonly beginning: Uint8Array<ArrayBuffer>, override readonly size: number) {
    super();
  }
  override slice(start = 0, end = this.size): Blob {
    this.read += end - start;
    const bytes = new Uint8Array(end - start);
    bytes.set(this.beginning.subarray(start, end));
    return new Blob([bytes]);
  }
}

/** A safetensors file of many tensors of the same size. */
function longFile(tensors: number, bytes: number): LongFile {
  const entries = Array.from({ length: tensors }, (_, i) => [
    `model.layers.${i}.weight`,
    { dtype: "BF16", shape: [bytes / 2], data_offsets: [i * bytes, (i + 1) * bytes] },
  ]);
  const json = JSON.stringify(Object.fromEntries(entries));
  const header = new TextEncoder().encode(json + " ".repeat((8 - json.length % 8) % 8));
  const beginning = new Uint8Array(8 + header.length);
  new DataView(beginning.buffer).setBigUint64(0, BigInt(header.length), true);
  beginning.set(header, 8);
  return new LongFile(beginning, beginning.length + tensors * bytes);
}

Deno.test("of a file of 500 MB only the header is read", async () => {
  for (const [tensors, bytes] of [[250, 2_000_000], [10_000, 50_000]] as const) {
    const file = longFile(tensors, bytes);
    assert(file.size > 500_000_000);
    const found = await readHeader(file, "long");
    assert("outline" in found);
    assertEquals(found.outline.tensors.length, tensors);
    assertEquals(found.outline.bytes, file.size);
    // The format is told from the first 64 KiB, which the header's reader asks for once more.
    const most = file.beginning.length + 2 * 65_536;
    assert(file.read <= most, `${file.read} bytes were read, ${most} are enough`);
  }
});

Deno.test("the header of a checkpoint and the initializers of an ONNX model are tensors", async () => {
  for (const name of ["base.safetensors", "digits.onnx"]) {
    const found = await readHeader(await digits(name), "x");
    assert("outline" in found, name);
    assertEquals(found.outline.kind, "weights");
    const weight = found.outline.tensors.find(({ name }) => name === "layers.0.weight");
    assertEquals(weight, { name: "layers.0.weight", dtype: "F32", shape: [96, 64] }, name);
  }
});

Deno.test("the index of shards is read with the files that came with it, and says which is missing", async () => {
  const shard = await digits("base.safetensors");
  const index = new Blob([JSON.stringify({
    metadata: { total_size: 52392 },
    weight_map: Object.fromEntries(
      ["0", "1", "2"].flatMap((layer) => [
        [`layers.${layer}.weight`, "one.safetensors"],
        [`layers.${layer}.bias`, "one.safetensors"],
      ]),
    ),
  })]);
  const found = await readHeader(index, "x", new Map([["one.safetensors", shard]]));
  assert("outline" in found);
  assertEquals(found.outline.tensors.length, 6);
  const alone = await readHeader(index, "x");
  assert("fault" in alone);
  assert(alone.fault.detail.includes("one.safetensors"), alone.fault.detail);
});

Deno.test("what cannot be merged is told in words with what to do instead", async () => {
  const text = new TextEncoder();
  const cases: [Uint8Array<ArrayBuffer>, string, string][] = [
    [text.encode("PK\x03\x04..........."), "unsupported-format", "weights_only"],
    [text.encode("GGUF\x03\0\0\0........"), "unsupported-format", "GGUF"],
    [Uint8Array.of(0x80, 2, 0x7d, 0x71, 0, 0x2e, 0, 0, 0xff), "unsupported-format", "pickle"],
    [text.encode("<!doctype html><title>Log in"), "unsupported-format", "web page"],
    [new Uint8Array(3), "invalid-checkpoint", "3"],
    [new Uint8Array(), "invalid-checkpoint", "0"],
  ];
  for (const [bytes, kind, word] of cases) {
    const found = await readHeader(new Blob([bytes]), "x");
    assert("fault" in found);
    assertEquals(found.fault.type, `/problems/${kind}`);
    assert(found.fault.detail.includes(word), found.fault.detail);
    assert(found.fault.title !== "");
  }
});
