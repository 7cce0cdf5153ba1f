/**
 * The part of a WebGPU device that is used here; not every host's types know it.
 *
 * @module
 */

/** Memory of the device. */
export interface GpuBuffer {
  mapAsync(mode: number, offset: number, size: number): Promise<void>;
  getMappedRange(offset: number, size: number): ArrayBuffer;
  unmap(): void;
  destroy(): void;
}

/** A compiled program. */
export interface GpuPipeline {
  getBindGroupLayout(index: number): object;
}

/** Collects commands. */
export interface GpuEncoder {
  beginComputePass(): {
    setPipeline(pipeline: GpuPipeline): void;
    setBindGroup(index: number, group: object): void;
    dispatchWorkgroups(x: number, y?: number): void;
    end(): void;
  };
  clearBuffer(buffer: GpuBuffer): void;
  copyBufferToBuffer(
    from: GpuBuffer,
    fromOffset: number,
    to: GpuBuffer,
    toOffset: number,
    size: number,
  ): void;
  finish(): object;
}

/** A device. */
export interface GpuDevice {
  readonly limits: { readonly maxStorageBufferBindingSize: number };
  readonly queue: {
    writeBuffer(
      buffer: GpuBuffer,
      offset: number,
      data: ArrayBufferView<ArrayBuffer>,
      dataOffset?: number,
      size?: number,
    ): void;
    submit(commands: readonly object[]): void;
  };
  createBuffer(given: { readonly size: number; readonly usage: number }): GpuBuffer;
  createShaderModule(given: { readonly code: string }): object;
  createComputePipeline(given: {
    readonly layout: "auto";
    readonly compute: { readonly module: object; readonly entryPoint: string };
  }): GpuPipeline;
  createBindGroup(given: {
    readonly layout: object;
    readonly entries: readonly {
      readonly binding: number;
      readonly resource: { readonly buffer: GpuBuffer };
    }[];
  }): object;
  createCommandEncoder(): GpuEncoder;
}

/** What buffers are for, as WebGPU numbers it. */
export const USAGE = {
  /** Graphs and programs read and write it. */
  data: 0x80 | 0x4 | 0x8,
  /** This thread reads it. */
  answer: 0x1 | 0x8,
} as const;

/** The mode of `mapAsync` for reading. */
export const READ = 1;
