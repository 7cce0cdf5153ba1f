/**
 * Does the work of one chunk on this thread: decode, select, run the graph, encode.
 *
 * @module
 */
import { createKernels } from "../tensor/kernels/mod.ts";
import type { ChunkJob, ChunkResult } from "./chunk_job.ts";
import { floats, loadChunk } from "./chunk_memory.ts";
import type { Engine } from "./engine.ts";
import type { EngineName } from "./engine_name.ts";
import { createFusedEngine } from "./fused/fused.ts";
import { encodedChunk, mapChunk, reduceChunk, scoreChunk, type Thread } from "./graph_jobs.ts";
import { countMagnitudes, createAccumulators, sampleMagnitudes } from "./magnitudes.ts";
import { createInputReader } from "./placed_inputs.ts";
import { runTiles } from "./tiles.ts";
import { createGpuMaps } from "./webgpu/gpu_maps.ts";
import { inputBuffersOf } from "./worker_protocol.ts";

/** Rows are padded to a whole number of SIMD groups. */
const GROUP = 8;

/** Runs jobs one after the other on one thread. */
export type ChunkRunner = (job: ChunkJob) => Promise<ChunkResult>;

/**
 * A runner with kernels and accumulators of its own.
 *
 * @param name What runs graphs: `wasm` is ONNX Runtime alone, `webgpu` takes the maps in float32, and what an engine
 * does not know goes to the next one.
 * @param reader Fetches the inputs that jobs only tell the place of; absent: from shared memory alone.
 */
export function createChunkRunner(
  engine: Engine,
  name: EngineName,
  reader = createInputReader(),
): ChunkRunner {
  const kernels = createKernels();
  const accumulators = createAccumulators(kernels);
  const thread: Thread = {
    engine,
    kernels,
    accumulators,
    ...(name === "wasm" ? {} : { fused: createFusedEngine(kernels) }),
    reader,
    ...(name === "webgpu" ? { gpu: createGpuMaps() } : {}),
  };
  let tail: Promise<unknown> = Promise.resolve();
  return (job) => {
    const result = tail.then(() => runJob(thread, job));
    tail = result.catch(() => {});
    return "inputs" in job
      ? result.then((done) => ({ ...done, spent: inputBuffersOf(job.inputs) }))
      : result;
  };
}

async function runJob(thread: Thread, given: ChunkJob): Promise<ChunkResult> {
  const { kernels, accumulators } = thread;
  const { thread: name } = accumulators;
  if (given.stage === "collect") return { thread: name, collected: accumulators.collect(given) };
  const isTiled = given.stage === "map" ? !thread.gpu?.takes(given) : given.stage === "reduce";
  if (isTiled && (given.stage === "map" || given.stage === "reduce")) {
    const done = runTiles(thread, given, accumulators.end());
    if (done) return done;
  }
  const job = thread.reader.read(given);
  if (!job) return { unread: true };
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
