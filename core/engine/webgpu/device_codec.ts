/**
 * The programs that decode and encode, on one device.
 *
 * @module
 */
import { CODEC_SHADER, GROUP, PARAMETERS } from "./codec_shader.ts";
import type { DeviceMemory, Lent } from "./device_memory.ts";
import { type GpuBuffer, type GpuDevice, READ } from "./gpu_device.ts";

/** Bytes of the flags of faults. */
const FAULTS = 8;

/** Where a stored row begins in a buffer, in words, and its format. */
export interface StoredRow {
  readonly start: number;
  readonly format: number;
}

/** What is encoded. */
export interface Encoding {
  readonly count: number;
  readonly padded: number;
  readonly format: number;
  /** Rows that may agree; 0: none are looked at. */
  readonly agreeing: number;
  /** Bytes of the result. */
  readonly bytes: number;
}

/** Decodes and encodes on the device. */
export interface DeviceCodec {
  /** Decodes rows of `count` elements into float32 rows of `padded`, zeros behind. */
  decode(
    given: GpuBuffer,
    rows: readonly StoredRow[],
    into: GpuBuffer,
    count: number,
    padded: number,
    faults: GpuBuffer,
  ): void;
  /** Encodes a result; answers undefined if it, or an input since the last encoding, is not finite or does not fit. */
  encode(
    result: GpuBuffer,
    rows: GpuBuffer,
    encoding: Encoding,
    faults: GpuBuffer,
  ): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** A buffer for the faults of one chunk, without any. */
  faults(): Lent;
}

/** Compiles the programs. */
export function createDeviceCodec(device: GpuDevice, memory: DeviceMemory): DeviceCodec {
  const module = device.createShaderModule({ code: CODEC_SHADER });
  const [decode, encode] = ["decode", "encode"].map((entryPoint) =>
    device.createComputePipeline({ layout: "auto", compute: { module, entryPoint } })
  );
  const parameters = (values: readonly number[]): Lent => {
    const lent = memory.take("data", values.length * 4);
    device.queue.writeBuffer(lent.buffer, 0, Uint32Array.from(values));
    return lent;
  };
  const bound = (pipeline: typeof decode, buffers: Readonly<Record<number, GpuBuffer>>) =>
    device.createBindGroup({
      layout: pipeline!.getBindGroupLayout(0),
      entries: Object.entries(buffers).map(([binding, buffer]) => ({
        binding: Number(binding),
        resource: { buffer },
      })),
    });
  return {
    faults() {
      const lent = memory.take("data", FAULTS);
      device.queue.writeBuffer(lent.buffer, 0, new Uint32Array(FAULTS / 4));
      return lent;
    },
    decode(given, rows, into, count, padded, faults) {
      const pairs = padded / 2;
      const header = new Array<number>(PARAMETERS).fill(0).with(0, count).with(1, pairs);
      const places = parameters([
        ...header,
        ...rows.flatMap(({ start, format }) => [start, format]),
      ]);
      const encoder = device.createCommandEncoder();
      const pass = encoder.beginComputePass();
      pass.setPipeline(decode!);
      pass.setBindGroup(0, bound(decode, { 0: given, 1: into, 2: places.buffer, 3: faults }));
      pass.dispatchWorkgroups(Math.ceil(pairs / GROUP), rows.length);
      pass.end();
      device.queue.submit([encoder.finish()]);
      memory.give(places);
    },
    async encode(result, rows, { count, padded, format, agreeing, bytes }, faults) {
      const size = Math.ceil(bytes / 4) * 4;
      const pairs = padded / 2;
      const places = parameters([count, pairs, format, agreeing]);
      const encoded = memory.take("data", size);
      const answer = memory.take("answer", size + FAULTS);
      const encoder = device.createCommandEncoder();
      const pass = encoder.beginComputePass();
      pass.setPipeline(encode!);
      pass.setBindGroup(
        0,
        bound(encode, {
          0: result,
          1: rows,
          2: places.buffer,
          3: faults,
          4: encoded.buffer,
        }),
      );
      pass.dispatchWorkgroups(Math.ceil(pairs / GROUP));
      pass.end();
      encoder.copyBufferToBuffer(encoded.buffer, 0, answer.buffer, 0, size);
      encoder.copyBufferToBuffer(faults, 0, answer.buffer, size, FAULTS);
      device.queue.submit([encoder.finish()]);
      await answer.buffer.mapAsync(READ, 0, size + FAULTS);
      const mapped = answer.buffer.getMappedRange(0, size + FAULTS);
      const isFaulty = new Uint32Array(mapped, size, 2).some((fault) => fault !== 0);
      const copy = isFaulty ? undefined : new Uint8Array(mapped.slice(0, bytes));
      answer.buffer.unmap();
      for (const lent of [places, encoded, answer]) memory.give(lent);
      return copy;
    },
  };
}
