/**
 * Chunks as they are stored, on the GPU of this thread: uploaded, decoded, run through a graph, encoded, and kept from
 * one pass to the next.
 *
 * @module
 */
import { DTYPES } from "../../tensor/dtype.ts";
import { INPUT, MAP_OUTPUT, PARTIAL, REDUCE_OUTPUT } from "../chunk_graph.ts";
import type { ChunkInputs, MapJob, ReduceJob } from "../chunk_job.ts";
import { coefficientFeeds } from "../feeds.ts";
import { formatNumber } from "./codec_shader.ts";
import { createDeviceCodec, type StoredRow } from "./device_codec.ts";
import { createDeviceMemory, type Lent } from "./device_memory.ts";
import type { GpuDevice } from "./gpu_device.ts";
import { createKeptRows } from "./kept_rows.ts";
import type { DeviceTensor, GpuEngine } from "./webgpu_runtime.ts";

/** Bytes of buffers that lie idle on the device. */
const IDLE = 64 << 20;

/** A graph of a job. */
export interface KeyedGraph {
  readonly key: string;
  readonly build: () => Uint8Array;
}

/** Runs jobs on chunks as they are stored; whatever goes wrong on the device is thrown. */
export interface GpuChunks {
  /**
   * Maps a chunk; its inputs are uploaded, or those kept under `kept`.
   *
   * @returns The encoded result; undefined where something is not finite or does not fit; `missing` where nothing is
   *   kept under that name, or the chunk is too large for the device.
   */
  map(job: MapJob, graph: KeyedGraph): Promise<Uint8Array<ArrayBuffer> | undefined | "missing">;
  /** Partial sums in float32, `[partials, sums]`, and whether the inputs stay; undefined if the chunk is too large. */
  sums(
    job: ReduceJob,
    graph: KeyedGraph,
  ): Promise<{ readonly partials: Float32Array; readonly stays: boolean } | undefined>;
  /** Forgets what was kept under names that begin so. */
  drop(prefix: string): void;
  close(): void;
}

/** A chunk on the device, as stored. */
interface Stored {
  readonly lent: Lent;
  readonly count: number;
  readonly models: readonly StoredRow[];
  readonly base?: StoredRow;
}

/** Whether chunks of these inputs can be uploaded as they are. */
export function areUploadable({ base, models, kinds }: ChunkInputs): boolean {
  // What statistics must not be is not watched for.
  return models.length === kinds.length &&
    [...models, ...base ? [base] : []].every(({ dtype }) => formatNumber(dtype) !== undefined);
}

/**
 * Starts with nothing on the device.
 *
 * @param budget Bytes that are kept from pass to pass.
 */
export function createGpuChunks(engine: GpuEngine, budget: number): GpuChunks {
  const kept = createKeptRows<Stored>(budget);
  let opened: ReturnType<typeof open> | undefined;
  const open = (device: GpuDevice) => {
    const memory = createDeviceMemory(device, IDLE);
    return { device, memory, codec: createDeviceCodec(device, memory) };
  };
  type Opened = ReturnType<typeof open>;
  const opening = async ({ key, build }: KeyedGraph): Promise<Opened> => {
    const device = await engine.device(key, build);
    return opened ??= open(device);
  };

  /** Decodes a chunk for a graph, and lets it go when `use` is done. */
  async function decoded<Result>(
    { memory, codec }: Opened,
    stored: Stored,
    use: (
      held: Record<string, DeviceTensor>,
      rows: Lent,
      faults: Lent,
      padded: number,
    ) => Promise<Result>,
  ): Promise<Result> {
    const { lent, count, models, base } = stored;
    const padded = paddedTo(count);
    const faults = codec.faults();
    const place = (rows: readonly StoredRow[]) => {
      const into = memory.take("data", rows.length * padded * 4);
      codec.decode(lent.buffer, rows, into.buffer, count, padded, faults.buffer);
      return into;
    };
    const rows = place(models);
    const baseRow = base && place([base]);
    const result = await use(
      {
        [INPUT.models]: { buffer: rows.buffer, shape: [models.length, padded] },
        ...(baseRow ? { [INPUT.base]: { buffer: baseRow.buffer, shape: [1, padded] } } : {}),
      },
      rows,
      faults,
      padded,
    );
    for (const each of [rows, faults, ...baseRow ? [baseRow] : []]) memory.give(each);
    return result;
  }

  return {
    async map(job, graph) {
      const known = job.kept && kept.take(job.kept.id);
      if (job.kept && !known) return "missing";
      const { count, models, kinds } = job.inputs;
      const on = await opening(graph);
      if (!fits(on.device, models.length * paddedTo(count))) return "missing";
      const stored = known ?? upload(on, job.inputs);
      const format = formatNumber(job.out)!;
      const bytes = await decoded(on, stored, async (held, rows, faults, padded) => {
        const y = on.memory.take("data", padded * 4);
        await engine.runHeld(graph.key, graph.build, coefficientFeeds(job), {
          ...held,
          [MAP_OUTPUT]: { buffer: y.buffer, shape: [1, padded] },
        });
        const encoding = {
          count,
          padded,
          format,
          agreeing: job.agreed ? kinds.length : 0,
          bytes: count * DTYPES[job.out].bytes,
        };
        const encoded = await on.codec.encode(y.buffer, rows.buffer, encoding, faults.buffer);
        on.memory.give(y);
        return encoded;
      });
      on.memory.give(stored.lent);
      return bytes;
    },
    async sums(job, graph) {
      const { count, models } = job.inputs;
      const on = await opening(graph);
      if (!fits(on.device, Math.max(job.sums, models.length) * paddedTo(count))) return undefined;
      const stored = upload(on, job.inputs);
      const partials = await decoded(on, stored, async (held) => {
        const outputs = await engine.runHeld(graph.key, graph.build, coefficientFeeds(job), held);
        return outputs[REDUCE_OUTPUT]!.data as Float32Array;
      });
      const stays = job.keep !== undefined && kept.keep(job.keep, stored.lent.bytes, stored);
      if (!stays) on.memory.give(stored.lent);
      return { partials, stays };
    },
    drop(prefix) {
      for (const { lent } of kept.drop(prefix)) opened?.memory.give(lent);
    },
    close() {
      for (const { lent } of kept.drop("")) opened?.memory.give(lent);
      opened?.memory.close();
      opened = undefined;
    },
  };
}

/** Elements of a decoded row. */
function paddedTo(count: number): number {
  return Math.ceil(count / PARTIAL) * PARTIAL;
}

/** Whether a program may see so many words at once. */
function fits({ limits }: GpuDevice, words: number): boolean {
  return words * 4 <= limits.maxStorageBufferBindingSize;
}

/** Uploads the bytes of all inputs into one buffer. */
function upload(
  { device: { queue }, memory }: {
    readonly device: GpuDevice;
    readonly memory: ReturnType<typeof createDeviceMemory>;
  },
  { base, models, count }: ChunkInputs,
): Stored {
  const all = base ? [...models, base] : models;
  let words = 0;
  const rows = all.map(({ dtype, bytes }) => {
    const start = words;
    words += Math.ceil(bytes.length / 4);
    return { start, format: formatNumber(dtype)! };
  });
  const lent = memory.take("data", words * 4);
  all.forEach(({ bytes }, i) => {
    const start = rows[i]!.start * 4;
    const whole = bytes.length - bytes.length % 4;
    if (whole > 0) queue.writeBuffer(lent.buffer, start, bytes, 0, whole);
    if (whole === bytes.length) return;
    const rest = new Uint8Array(4);
    rest.set(bytes.subarray(whole));
    queue.writeBuffer(lent.buffer, start + whole, rest);
  });
  return {
    lent,
    count,
    models: rows.slice(0, models.length),
    ...(base ? { base: rows[models.length]! } : {}),
  };
}
