/**
 * Measures the fused engine and the GPU side by side, on jobs like those of merges.
 *
 * @module
 */
import { encodeFrom } from "../../tensor/codec.ts";
import type { ChunkExecutor, ChunkInput, ChunkInputs, MapJob, ReduceJob } from "../chunk_job.ts";
import { DEVICE_WORK, type DeviceWork, type Measured } from "./device_sizes.ts";

/** Elements of the chunks: what hangs on a chunk is seen on small ones, what hangs on elements on large ones. */
const SIZES = [1 << 14, 1 << 18] as const;
/** Milliseconds for each engine, size and kind of work; a chunk that takes longer is measured once. */
const LONG_ENOUGH = 60;

/** What it stands on. */
export interface ComparePorts {
  /** Runs both kinds of jobs; it has nothing else to do. */
  readonly executor: ChunkExecutor;
  /** Milliseconds. */
  readonly now: () => number;
}

/**
 * Measures with as many jobs under way as the executor takes, as the threads of a merge share the GPU and its bus.
 *
 * @throws {Error} What the device fails with.
 */
export async function compareEngines({ executor, now }: ComparePorts): Promise<Measured[]> {
  const measured: Measured[] = [];
  for (const work of DEVICE_WORK) {
    for (const elements of SIZES) {
      const given = Array.from({ length: executor.width }, () => sampleInputs(elements));
      const time = async (device: boolean) => {
        const jobs = jobsOf(work, elements, device);
        const chunk = async (lane: number) => {
          for (const job of jobs) {
            const result = await executor.run({ ...job, inputs: given[lane]! });
            if (result.fallback !== undefined) throw new Error(result.fallback);
            given[lane] = restored(given[lane]!, result.spent ?? []);
          }
        };
        const all = () => Promise.all(given.map((_, lane) => chunk(lane)));
        // Programs are compiled, and memory is made.
        await all();
        const start = now();
        let rounds = 0;
        do {
          await all();
          rounds++;
        } while (now() - start < LONG_ENOUGH);
        const each = (now() - start) * 1e6 / (rounds * given.length * elements);
        return Math.round(each * 1000) / 1000;
      };
      measured.push({ work, elements, fused: await time(false), webgpu: await time(true) });
    }
  }
  return measured;
}

/** A base and two models in bfloat16, which differ. */
function sampleInputs(count: number): ChunkInputs {
  const input = (seed: number): ChunkInput => {
    const values = Float32Array.from({ length: count }, (_, i) => (i * seed % 1021 - 510) / 1024);
    const bytes = new Uint8Array(2 * count);
    encodeFrom("BF16", values, bytes, { saturate: false });
    return { dtype: "BF16", bytes };
  };
  return {
    count,
    base: input(7),
    models: [input(11), input(13)],
    kinds: ["weights", "weights"],
    finite: true,
  };
}

/** The inputs with the buffers that a job gave back. */
function restored(inputs: ChunkInputs, spent: readonly ArrayBuffer[]): ChunkInputs {
  const buffers = spent.map((buffer) => new Uint8Array(buffer));
  const { base, models } = inputs;
  if (!base || buffers.length !== models.length + 1) return inputs;
  return {
    ...inputs,
    models: models.map((model, i) => ({ ...model, bytes: buffers[i]! })),
    base: { ...base, bytes: buffers.at(-1)! },
  };
}

type Sample = Omit<MapJob, "inputs"> | Omit<ReduceJob, "inputs">;

/** What a merge asks for with a chunk: that of task vectors, and for sums the mean of `model_stock`. */
function jobsOf(work: DeviceWork, elements: number, device: boolean): Sample[] {
  const asked = device ? { device: true } as const : {};
  const share = { size: 2, values: Float64Array.of(0.4, 0.3) };
  const map: Sample = {
    stage: "map",
    method: "model_stock",
    graph: "mean",
    coefficients: { share },
    double: false,
    out: "BF16",
    saturate: false,
    agreed: false,
    ...asked,
  };
  switch (work) {
    case "map":
      return [map];
    case "sums":
      return [
        {
          stage: "reduce",
          method: "model_stock",
          graph: "products",
          coefficients: {},
          sums: 4,
          ...asked,
        },
        map,
      ];
    case "selected": {
      const keep = Uint8Array.from({ length: elements }, (_, i) => i % 3);
      return [{ ...map, selections: [undefined, { kind: "mask", keep }] }];
    }
  }
}
