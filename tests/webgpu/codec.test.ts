import { assert, assertEquals } from "@std/assert";
import { formatNumber } from "../../core/engine/webgpu/codec_shader.ts";
import { createDeviceCodec } from "../../core/engine/webgpu/device_codec.ts";
import { createDeviceMemory } from "../../core/engine/webgpu/device_memory.ts";
import { type GpuDevice, READ } from "../../core/engine/webgpu/gpu_device.ts";
import { decodeTo, encodeFrom } from "../../core/tensor/codec.ts";
import type { DType } from "../../core/tensor/dtype.ts";

const ALL = Uint16Array.from({ length: 65536 }, (_, i) => i);

async function openCodec() {
  const adapter = await navigator.gpu.requestAdapter();
  const owned = await adapter!.requestDevice();
  const device = owned as unknown as GpuDevice;
  const memory = createDeviceMemory(device, 0);
  return { device, memory, codec: createDeviceCodec(device, memory), close: () => owned.destroy() };
}

/** The words of a buffer of the device. */
async function wordsOf(
  { device, memory }: Awaited<ReturnType<typeof openCodec>>,
  buffer: Parameters<GpuDevice["queue"]["writeBuffer"]>[0],
  count: number,
): Promise<Uint32Array> {
  const answer = memory.take("answer", count * 4);
  const encoder = device.createCommandEncoder();
  encoder.copyBufferToBuffer(buffer, 0, answer.buffer, 0, count * 4);
  device.queue.submit([encoder.finish()]);
  await answer.buffer.mapAsync(READ, 0, count * 4);
  const words = new Uint32Array(answer.buffer.getMappedRange(0, count * 4).slice(0));
  answer.buffer.unmap();
  return words;
}

const bitsOf = (values: Float32Array) => new Uint32Array(values.buffer);
const isFinite = (bits: number) => (bits & 0x7f800000) !== 0x7f800000;

for (const dtype of ["F16", "BF16"] as const satisfies DType[]) {
  Deno.test(`all values of ${dtype} are decoded on the device to the bits of the processor`, async () => {
    const open = await openCodec();
    const { device, memory, codec } = open;
    const given = memory.take("data", 2 * ALL.length);
    device.queue.writeBuffer(given.buffer, 0, ALL);
    const into = memory.take("data", 4 * ALL.length);
    const rows = [{ start: 0, format: formatNumber(dtype)! }];
    codec.decode(given.buffer, rows, into.buffer, ALL.length, ALL.length, codec.faults().buffer);
    const found = await wordsOf(open, into.buffer, ALL.length);
    const values = new Float32Array(ALL.length);
    decodeTo(dtype, new Uint8Array(ALL.buffer), values);
    const expected = bitsOf(values);
    let finite = 0;
    ALL.forEach((_, i) => {
      if (!isFinite(expected[i]!)) return assert(!isFinite(found[i]!));
      finite++;
      if (found[i] !== expected[i]) assertEquals(found[i], expected[i], `of ${i}`);
    });
    assert(finite > 60000);
    open.close();
  });

  Deno.test(`float32 is encoded on the device as ${dtype} to the bits of the processor`, async () => {
    const open = await openCodec();
    const { device, memory, codec } = open;
    // Every value of the type that is left finite, the middle to the next one, and what is beside that.
    const stored = new Float32Array(ALL.length);
    decodeTo(dtype, new Uint8Array(ALL.buffer), stored);
    const bits: number[] = [];
    const middle = dtype === "BF16" ? 0x8000 : 0x1000;
    for (const word of bitsOf(stored)) {
      const size = word & 0x7fffffff;
      if (size > (dtype === "BF16" ? 0x7f7e0000 : 0x477fc000)) continue;
      for (const beside of [0, 1, middle - 1, middle, middle + 1]) bits.push(word + beside);
    }
    // Around the smallest halves, where the middle lies elsewhere.
    for (let at = 0x32ff0000; at < 0x38810000; at += 0x3ff) bits.push(at, at + 0x80000000);
    while (bits.length % 8 !== 3) bits.push(0);
    const words = Uint32Array.from(bits);
    const count = words.length;
    const padded = Math.ceil(count / 32) * 32;
    const result = memory.take("data", 4 * padded);
    device.queue.writeBuffer(result.buffer, 0, words);
    const faults = codec.faults();
    const rows = memory.take("data", 4);
    const encoding = {
      count,
      padded,
      format: formatNumber(dtype)!,
      agreeing: 0,
      bytes: 2 * count,
    };
    const found = await codec.encode(result.buffer, rows.buffer, encoding, faults.buffer);
    const expected = new Uint8Array(2 * count);
    encodeFrom(dtype, new Float32Array(words.buffer), expected, { saturate: false });
    const [ours, theirs] = [found!, expected].map(({ buffer }) => new Uint16Array(buffer));
    theirs!.forEach((half, i) => {
      if (ours![i] !== half) assertEquals(ours![i], half, `of ${words[i]!.toString(16)}`);
    });
    open.close();
  });
}

Deno.test("what is not finite or does not fit is told", async () => {
  const open = await openCodec();
  const { device, memory, codec } = open;
  const encode = async (value: number, dtype: DType) => {
    const result = memory.take("data", 4 * 32);
    device.queue.writeBuffer(result.buffer, 0, Float32Array.of(0, value, 1));
    const encoding = { count: 3, padded: 32, format: formatNumber(dtype)!, agreeing: 0, bytes: 6 };
    const rows = memory.take("data", 4);
    return await codec.encode(result.buffer, rows.buffer, encoding, codec.faults().buffer);
  };
  for (
    const [value, dtype] of [[NaN, "BF16"], [65520, "F16"], [3.4e38, "BF16"], [
      -Infinity,
      "F16",
    ]] as const
  ) {
    assertEquals(await encode(value, dtype), undefined, `${value} as ${dtype}`);
  }
  for (const [value, dtype] of [[65519, "F16"], [3.38e38, "BF16"], [-2, "F16"]] as const) {
    assertEquals((await encode(value, dtype))?.length, 6, `${value} as ${dtype}`);
  }
  open.close();
});
