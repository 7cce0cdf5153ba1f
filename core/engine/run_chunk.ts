/**
 * Does the work of one chunk on this thread: decode, select, run the graph, encode.
 *
 * @module
 */
import { methodNamed } from "../methods/mod.ts";
import type { Layout } from "../onnx/operands.ts";
import { createKernels, type Kernels } from "../tensor/kernels/mod.ts";
import {
  buildMapGraph,
  buildReduceGraph,
  buildScoreGraph,
  MAP_OUTPUT,
  REDUCE_OUTPUT,
  SCORE_OUTPUT,
} from "./chunk_graph.ts";
import type {
  ChunkInputs,
  ChunkJob,
  ChunkResult,
  GraphCall,
  MapJob,
  ReduceJob,
  Scores,
} from "./chunk_job.ts";
import { type ChunkMemory, encodeResult, floats, loadChunk, stagingEnd } from "./chunk_memory.ts";
import { runElementwise } from "./elementwise.ts";
import type { Engine } from "./engine.ts";
import { allAgree, release, segmentFeeds } from "./feeds.ts";
import { inputBuffersOf } from "./worker_protocol.ts";
import { type Accumulators, countMagnitudes, createAccumulators } from "./magnitudes.ts";
import { BLOCK, segmentsOf } from "./segments.ts";
import { select, selectScored } from "./select.ts";

/** Rows are padded to a whole number of SIMD groups. */
const GROUP = 8;

/** Elements per model that one reduction graph is given at most. */
const REDUCED_AT_ONCE = 8 * BLOCK;

/** Runs jobs one after the other on one thread. */
export type ChunkRunner = (job: ChunkJob) => Promise<ChunkResult>;

/** A runner with kernels and accumulators of its own. */
export function createChunkRunner(engine: Engine): ChunkRunner {
  const kernels = createKernels();
  const accumulators = createAccumulators(kernels);
  let tail: Promise<unknown> = Promise.resolve();
  return (job) => {
    const result = tail.then(() => runJob({ engine, kernels, accumulators }, job));
    tail = result.catch(() => {});
    return "inputs" in job
      ? result.then((done) => ({ ...done, spent: inputBuffersOf(job.inputs) }))
      : result;
  };
}

/** What the jobs of one thread work with. */
interface Thread {
  readonly engine: Engine;
  readonly kernels: Kernels;
  readonly accumulators: Accumulators;
}

async function runJob(thread: Thread, job: ChunkJob): Promise<ChunkResult> {
  const { kernels, accumulators } = thread;
  if (job.stage === "collect") return { histograms: accumulators.collect(job) };
  const slots = job.stage === "histogram"
    ? job.lanes.map((lane, i) => lane && accumulators.slot(job.id, i))
    : [];
  const scratch = accumulators.slot("scratch", 0);
  const loaded = loadChunk(kernels, accumulators.end(), job.inputs, GROUP);
  if ("element" in loaded) return { fault: loaded };
  const { count, padded, origins } = loaded;

  switch (job.stage) {
    case "scan":
      return {};
    case "histogram":
    case "equal": {
      const scores = job.scores && await score(thread, loaded, job.inputs, job.scores);
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
      job.lanes.forEach((lane, i) => {
        if (lane) countMagnitudes(kernels, ...place(lane.row), count, slots[i]!, lane);
      });
      return {};
    }
    case "convert":
      return encoded(kernels, loaded, job, floats(kernels, loaded.x, padded));
    case "reduce":
      return await reduce(thread, loaded, job, scratch);
    case "map":
      return await map(thread, loaded, job, scratch);
  }
}

/** Scores a chunk; answers where the scores lie, `[rows, padded]`. */
async function score(
  { engine, kernels }: Thread,
  memory: ChunkMemory,
  inputs: ChunkInputs,
  scores: Scores,
): Promise<number> {
  const layout = layoutOf(inputs, inputs.kinds, scores, scores.double);
  const target = stagingEnd(memory);
  kernels.reserve(target + scores.rows * memory.padded * 4);
  await runElementwise(engine, kernels, memory, {
    key: graphKey("score", scores, layout),
    build: () => buildScoreGraph(layout, graphOf(scores), scores.rows),
    output: SCORE_OUTPUT,
    rows: scores.rows,
    target,
    call: scores,
    double: scores.double,
  });
  return target;
}

/** Drops what the job does not keep; answers what each model's chunk holds then. */
async function selectInputs(
  thread: Thread,
  memory: ChunkMemory,
  { inputs, scored, selections }: MapJob | ReduceJob,
  scratch: number,
): Promise<ChunkInputs["kinds"]> {
  if (scored) {
    const scores = await score(thread, memory, inputs, scored.scores);
    selectScored(thread.kernels, memory, scores, scored.cut);
  }
  return selections
    ? select(thread.kernels, memory, inputs.kinds, selections, scratch)
    : inputs.kinds;
}

async function map(
  thread: Thread,
  memory: ChunkMemory,
  job: MapJob,
  scratch: number,
): Promise<ChunkResult> {
  const { engine, kernels } = thread;
  const { models, padded, x, staging } = memory;
  const kinds = await selectInputs(thread, memory, job, scratch);
  const layout = layoutOf(job.inputs, kinds, job, job.double);
  await runElementwise(engine, kernels, memory, {
    key: graphKey("map", job, layout),
    build: () => buildMapGraph(layout, graphOf(job)),
    output: MAP_OUTPUT,
    rows: 1,
    target: staging,
    call: job,
    double: job.double,
  });
  if (job.agreed) kernels.call.takeAgreed(staging, x, models, padded * 4, padded);
  return encoded(kernels, memory, job, floats(kernels, staging, padded));
}

async function reduce(
  thread: Thread,
  memory: ChunkMemory,
  job: ReduceJob,
  scratch: number,
): Promise<ChunkResult> {
  const { engine, kernels } = thread;
  const { models, padded, x, base, count } = memory;
  const selects = job.selections !== undefined || job.scored !== undefined;
  const unselected = selects ? floats(kernels, x, models * padded).slice() : undefined;
  const agreed = allAgree(kernels, memory, job.inputs.base !== undefined);
  const kinds = await selectInputs(thread, memory, job, scratch);
  const layout = layoutOf(job.inputs, kinds, job, true);
  const operands = {
    models: floats(kernels, x, models * padded),
    base: floats(kernels, base, padded),
    ...(unselected ? { unselected } : {}),
  };
  const segments = segmentsOf(count, job.vectors);
  const maker = segmentFeeds(operands, job, memory, segments);
  const sums = new Float64Array(segments.count * job.sums);
  // A few segments at a time: float64 copies of a whole chunk would be the largest thing in memory.
  const step = Math.max(Math.floor(REDUCED_AT_ONCE / segments.width), 1);
  for (let from = 0; from < segments.count; from += step) {
    const feeds = maker.make(from, Math.min(from + step, segments.count));
    const outputs = await engine.run(
      graphKey("reduce", job, layout),
      () => buildReduceGraph(layout, graphOf(job), job.sums),
      feeds.inputs,
    );
    feeds.release();
    sums.set(outputs[REDUCE_OUTPUT]!.data as Float64Array, from * job.sums);
  }
  maker.release();
  if (unselected) release(unselected);
  return { sums, ...agreed };
}

function encoded(
  kernels: Kernels,
  memory: ChunkMemory,
  job: Pick<MapJob, "out" | "saturate" | "inputs">,
  values: Float32Array,
): ChunkResult {
  const hasBase = job.inputs.base !== undefined;
  const bytes = encodeResult(kernels, memory, values, hasBase, job.out, job.saturate);
  return "element" in bytes ? { fault: bytes } : { bytes };
}

function layoutOf(
  inputs: ChunkInputs,
  kinds: ChunkInputs["kinds"],
  call: GraphCall,
  double: boolean,
): Layout {
  return {
    models: inputs.models.length,
    base: inputs.base !== undefined,
    kinds,
    double,
    expanded: call.vectors !== undefined,
  };
}

function graphKey(stage: string, call: GraphCall, layout: Layout): string {
  const { models, base, kinds, double, expanded } = layout;
  return [stage, call.method, call.graph, models, base, kinds.join(","), double, expanded]
    .join("/");
}

function graphOf({ method, graph }: GraphCall) {
  const build = methodNamed(method)?.graphs[graph];
  if (!build) throw new Error(`The method ${method} has no graph ${graph}`);
  return build;
}
