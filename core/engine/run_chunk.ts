/**
 * Does the work of one chunk on this thread: decode, select, run the graph, encode.
 *
 * @module
 */
import { createKernels } from "../tensor/kernels/mod.ts";
import type {
  AdapterJob,
  ChunkJob,
  ChunkResult,
  CollectJob,
  DropJob,
  MapJob,
  ReduceJob,
} from "./chunk_job.ts";
import { floats, loadChunk } from "./chunk_memory.ts";
import type { Engine } from "./engine.ts";
import type { EngineName } from "./engine_name.ts";
import { createFusedEngine } from "./fused/fused.ts";
import { encodedChunk, mapChunk, reduceChunk, scoreChunk, type Thread } from "./graph_jobs.ts";
import { inTurn } from "../in_turn.ts";
import { mapOnDevice, reduceOnDevice } from "./device_jobs.ts";
import { countMagnitudes, createAccumulators, sampleMagnitudes } from "./magnitudes.ts";
import { createInputReader } from "./placed_inputs.ts";
import { countStored } from "./stored_keys.ts";
import { runTiles } from "./tiles.ts";
import { findAdapter } from "./webgpu/adapter.ts";
import type { GpuJobs } from "./webgpu/gpu_jobs.ts";
import { inputBuffersOf } from "./worker_protocol.ts";

/** Rows are padded to a whole number of SIMD groups. */
const GROUP = 8;

/** Runs jobs one after the other on one thread. */
export type ChunkRunner = (job: ChunkJob) => Promise<ChunkResult>;

/**
 * A runner with kernels and accumulators of its own.
 *
 * @param name What runs graphs: `wasm` is ONNX Runtime alone; what the fused engine does not know goes there too.
 * @param reader Fetches the inputs that jobs only tell the place of; absent: from shared memory alone.
 * @param gpu Runs the jobs that ask for a GPU; absent: they run as all others.
 */
export function createChunkRunner(
  engine: Engine,
  name: EngineName,
  reader = createInputReader(),
  gpu?: GpuJobs,
): ChunkRunner {
  const kernels = createKernels();
  const accumulators = createAccumulators(kernels);
  const thread: Thread = {
    engine,
    kernels,
    accumulators,
    ...(name === "wasm" ? {} : { fused: createFusedEngine(kernels) }),
    reader,
    ...(gpu ? { gpu } : {}),
  };
  const next = inTurn();
  return (job) => {
    const result = next(() => runJob(thread, job));
    return "inputs" in job
      ? result.then((done) => ({ ...done, spent: inputBuffersOf(job.inputs) }))
      : result;
  };
}

async function runJob(thread: Thread, given: ChunkJob): Promise<ChunkResult> {
  const { accumulators } = thread;
  if (given.stage === "collect") {
    return { thread: accumulators.thread, collected: accumulators.collect(given) };
  }
  if (given.stage === "drop") {
    thread.gpu?.drop(given.prefix);
    return {};
  }
  if (given.stage === "adapter") {
    const adapter = await findAdapter();
    return adapter ? { adapter } : {};
  }
  if (given.stage === "map" || given.stage === "reduce") {
    if (thread.gpu?.takes(given)) return await runGraphOnDevice(thread, given);
    if (given.stage === "map" && given.kept) return { unread: true };
    const done = runTiles(thread, given);
    if (done) return done;
  }
  if (given.stage === "histogram") {
    const counted = countStored(thread, given);
    if (counted) return counted;
  }
  const job = readJob(thread, given);
  return job ? await runLoaded(thread, job) : { unread: true };
}

/** A job on a GPU; what that cannot do is done on the processor, or asked for again with its inputs. */
async function runGraphOnDevice(
  thread: Thread,
  given: MapJob | ReduceJob,
): Promise<ChunkResult> {
  const job = readJob(thread, given);
  if (!job) return { unread: true };
  const isMap = job.stage === "map";
  const done = isMap ? await mapOnDevice(thread, job) : await reduceOnDevice(thread, job);
  if (done && done.fallback === undefined) return done;
  if (isMap && job.kept) return { ...done, unread: true };
  // A map whose result has a fault, or whose inputs are selected here, goes to the device from decoded rows.
  const tiled = isMap && thread.gpu?.takes(job) ? undefined : runTiles(thread, job);
  return { ...tiled ?? await runLoaded(thread, job), ...done };
}

/** The job with its inputs; undefined if they could not be read. */
function readJob<Job extends ChunkJob>({ reader }: Thread, job: Job): Job | undefined {
  return reader.read(job);
}

async function runLoaded(
  thread: Thread,
  job: Exclude<ChunkJob, CollectJob | DropJob | AdapterJob>,
): Promise<ChunkResult> {
  const { kernels, accumulators } = thread;
  const { thread: name } = accumulators;
  const slots = job.stage === "histogram"
    ? job.lanes.map((lane, i) => lane && accumulators.slot(job.id, i, lane.kind))
    : [];
  const scratch = accumulators.scratch();
  const loaded = loadChunk(kernels, accumulators.end(), job.inputs, GROUP);
  if ("element" in loaded) return { fault: loaded };
  const { count, padded, origins } = loaded;

  switch (job.stage) {
    case "scan":
      return {};
    case "histogram":
    case "sample":
    case "equal": {
      const scores = job.scores && await scoreChunk(thread, loaded, job.inputs, job.scores);
      /** Where a row's values lie, and what is subtracted from them. */
      const place = (row: number) =>
        [(scores ?? loaded.x) + row * padded * 4, scores ? loaded.zeros : origins[row]!] as const;
      if (job.stage === "equal") {
        return {
          counts: job.lanes.map((lane) =>
            lane ? kernels.call.countEqual(...place(lane.row), count, lane.key) : 0
          ),
        };
      }
      if (job.stage === "sample") {
        return {
          sampled: job.rows.map((row) => sampleMagnitudes(kernels, ...place(row), count, scratch)),
        };
      }
      return {
        thread: name,
        tallies: job.lanes.map((lane, i) =>
          lane && countMagnitudes(kernels, ...place(lane.row), count, slots[i]!, lane)
        ),
      };
    }
    case "convert":
      return encodedChunk(kernels, loaded, job, floats(kernels, loaded.x, padded));
    case "reduce":
      return await reduceChunk(thread, loaded, job, scratch);
    case "map":
      return await mapChunk(thread, loaded, job, scratch);
  }
}
