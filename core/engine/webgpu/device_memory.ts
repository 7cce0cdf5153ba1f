/**
 * Buffers of a device that are used again, as to make one costs more than to fill it.
 *
 * @module
 */
import { type GpuBuffer, type GpuDevice, USAGE } from "./gpu_device.ts";

/** Sizes are rounded up to this, so that the last chunk of a tensor finds the buffers of the others. */
const GRAIN = 1 << 16;

/** A buffer on loan. */
export interface Lent {
  readonly buffer: GpuBuffer;
  /** Bytes that it really has. */
  readonly bytes: number;
  readonly kind: keyof typeof USAGE;
}

/** Lends buffers. */
export interface DeviceMemory {
  take(kind: keyof typeof USAGE, bytes: number): Lent;
  /** Takes one back; it may be lent again at once, as a device does what it is told in order. */
  give(lent: Lent): void;
  close(): void;
}

/**
 * Starts with no buffers.
 *
 * @param idle Bytes of buffers that are kept while nobody uses them.
 */
export function createDeviceMemory(device: GpuDevice, idle: number): DeviceMemory {
  const free: Lent[] = [];
  let bytesFree = 0;
  return {
    take(kind, bytes) {
      const wanted = Math.ceil(bytes / GRAIN) * GRAIN;
      const at = free.findIndex((lent) => lent.kind === kind && lent.bytes === wanted);
      if (at >= 0) {
        bytesFree -= wanted;
        return free.splice(at, 1)[0]!;
      }
      const buffer = device.createBuffer({ size: wanted, usage: USAGE[kind] });
      return { buffer, bytes: wanted, kind };
    },
    give(lent) {
      free.push(lent);
      bytesFree += lent.bytes;
      while (bytesFree > idle) {
        const oldest = free.shift()!;
        bytesFree -= oldest.bytes;
        oldest.buffer.destroy();
      }
    },
    close() {
      for (const { buffer } of free.splice(0)) buffer.destroy();
      bytesFree = 0;
    },
  };
}
