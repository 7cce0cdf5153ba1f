/**
 * The jobs that run a method's graph on a loaded chunk: scores, maps, sums. The fused engine takes what it can,
 * ONNX Runtime the rest.
 *
 * @module
 */
import { magnitudeMap, scaledMap } from "../methods/lines_factor.ts";
import { methodNamed } from "../methods/mod.ts";
import type { GraphBuilder } from "../onnx/graph_builder.ts";
import type { GraphFunction, Layout } from "../onnx/operands.ts";
import type { Kernels } from "../tensor/kernels/mod.ts";
import {
  INPUT,
  MAP_OUTPUT,
  mapGraph,
  REDUCE_OUTPUT,
  reduceGraph,
  SCORE_OUTPUT,
  scoreGraph,
} from "./chunk_graph.ts";
import type {
  ChunkInputs,
  ChunkResult,
  GraphCall,
  MapJob,
  ReduceJob,
  Scores,
} from "./chunk_job.ts";
import { type ChunkMemory, encodeResult, floats, stagingEnd } from "./chunk_memory.ts";
import { type ElementwiseRun, runElementwise } from "./elementwise.ts";
import type { Engine } from "./engine.ts";
import { allAgree, release, segmentFeeds } from "./feeds.ts";
import { agreeingRows, isStored } from "./fused/formats.ts";
import {
  freeSpace,
  fusedElementwise,
  fusedEncoded,
  type FusedEngine,
  type FusedRun,
  fusedSums,
} from "./fused/fused.ts";
import type { Accumulators } from "./magnitudes.ts";
import type { InputReader } from "./placed_inputs.ts";
import { BLOCK, type Segments, segmentsOf } from "./segments.ts";
import { select, selectScored } from "./select.ts";
import type { GpuJobs } from "./webgpu/gpu_jobs.ts";

/** Elements per model that one reduction graph is given at most. */
const REDUCED_AT_ONCE = 8 * BLOCK;

/** What the jobs of one thread work with. */
export interface Thread {
  readonly engine: Engine;
  /** Absent: ONNX Runtime runs everything. */
  readonly fused?: FusedEngine;
  /** Fetches what jobs do not bring. */
  readonly reader: InputReader;
  /** Absent: nothing runs on a GPU. */
  readonly gpu?: GpuJobs;
  readonly kernels: Kernels;
  readonly accumulators: Accumulators;
}

/** Scores a chunk; answers where the scores lie, `[rows, padded]`. */
export async function scoreChunk(
  { engine, fused, kernels }: Thread,
  memory: ChunkMemory,
  inputs: ChunkInputs,
  scores: Scores,
): Promise<number> {
  const layout = layoutOf(inputs, inputs.kinds, scores, scores.double);
  const target = stagingEnd(memory);
  const size = scores.rows * memory.padded * 4;
  kernels.reserve(target + size);
  const key = graphKey("score", scores, layout);
  const graph = (of: Layout) => scoreGraph(of, graphOf(scores), scores.rows);
  if (fused) {
    const run: FusedRun = { engine: fused, kernels, memory, key, layout, graph, call: scores };
    if (fusedElementwise(run, target, freeSpace(memory, size))) return target;
  }
  await runElementwise(engine, kernels, memory, {
    key,
    build: () => graph(layout).serialize(),
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
    const scores = await scoreChunk(thread, memory, inputs, scored.scores);
    selectScored(thread.kernels, memory, scores, scored.cut);
  }
  return selections
    ? select(thread.kernels, memory, inputs.kinds, selections, scratch)
    : inputs.kinds;
}

/** Maps a loaded chunk and encodes the result. */
export async function mapChunk(
  thread: Thread,
  memory: ChunkMemory,
  job: MapJob,
  scratch: number,
): Promise<ChunkResult> {
  const { engine, fused, gpu, kernels } = thread;
  const { padded, x, staging } = memory;
  const kinds = await selectInputs(thread, memory, job, scratch);
  const layout = layoutOf(job.inputs, kinds, job, job.double);
  const key = graphKey("map", job, layout);
  const graph = (of: Layout) => mapGraph(of, graphOf(job));
  const elementwise: ElementwiseRun = {
    key,
    build: () => graph(layout).serialize(),
    output: MAP_OUTPUT,
    rows: 1,
    target: staging,
    call: job,
    double: job.double,
  };
  const onGpu = !job.double && (gpu?.takes(job) ?? false);
  const attempted = onGpu
    ? await gpu!.attempt((device) =>
      runElementwise(device, kernels, memory, {
        ...elementwise,
        build: () => mapGraph(layout, graphOf(job), "device").serialize(),
      })
    )
    : undefined;
  const fallback = attempted && "fallback" in attempted ? attempted.fallback : undefined;
  const run = fused && { engine: fused, kernels, memory, key, layout, graph, call: job };
  const agreeing = agreeingRows(job, kinds.length);
  if (run && !onGpu && !job.vectors && isStored(job.out) && agreeing !== undefined) {
    const bytes = fusedEncoded(run, { out: job.out, agreeing }, staging, freeSpace(memory));
    if (bytes) return { bytes };
  }
  const done = onGpu && fallback === undefined ||
    run && fusedElementwise(run, staging, freeSpace(memory));
  if (!done) await runElementwise(engine, kernels, memory, elementwise);
  if (job.agreed) kernels.call.takeAgreed(staging, x, kinds.length, padded * 4, padded);
  const encoded = encodedChunk(kernels, memory, job, floats(kernels, staging, padded));
  return fallback === undefined ? encoded : { ...encoded, fallback };
}

/** Takes the sums of a loaded chunk. */
export async function reduceChunk(
  thread: Thread,
  memory: ChunkMemory,
  job: ReduceJob,
  scratch: number,
): Promise<ChunkResult> {
  const { kernels } = thread;
  const { models, padded, x, count } = memory;
  const unselected = readsUnselected(job) ? floats(kernels, x, models * padded).slice() : undefined;
  const agreed = allAgree(kernels, memory, job.inputs);
  const kinds = await selectInputs(thread, memory, job, scratch);
  const segments = segmentsOf(count, job.vectors);
  const sums = await chunkSums(thread, memory, job, kinds, segments, unselected);
  if (unselected) release(unselected);
  return { sums, ...agreed };
}

/**
 * The sums of segments of a loaded chunk, `[segments, sums]`.
 *
 * @param kinds What each model's chunk holds.
 * @param unselected The models' rows before selections, if the graph reads them.
 */
export async function chunkSums(
  thread: Thread,
  memory: ChunkMemory,
  job: ReduceJob,
  kinds: ChunkInputs["kinds"],
  segments: Segments,
  unselected: Float32Array<ArrayBuffer> | undefined,
): Promise<Float64Array> {
  const { fused, kernels } = thread;
  const layout = layoutOf(job.inputs, kinds, job, true);
  const key = graphKey("reduce", job, layout);
  const graph = (of: Layout) => reduceGraph(of, graphOf(job), job.sums);
  const run = fused && { engine: fused, kernels, memory, key, layout, graph, call: job };
  return run && fusedSums(run, segments, unselected) ||
    await graphSums(thread, memory, job, { key, graph: () => graph(layout), segments, unselected });
}

const unselectedReaders = new Map<string, boolean>();

/** Whether a reduction reads the models as they are before selections: a copy of them is the largest thing here. */
function readsUnselected(job: ReduceJob): boolean {
  const key = `${job.method}/${job.graph}/${job.lines ?? ""}`;
  let reads = unselectedReaders.get(key);
  if (reads === undefined) {
    const layout = layoutOf(job.inputs, job.inputs.kinds, job, true);
    const { graph } = reduceGraph(layout, graphOf(job), job.sums).model();
    reads = graph.inputs.some(({ name }) => name === INPUT.unselected);
    unselectedReaders.set(key, reads);
  }
  return reads;
}

/** What ONNX Runtime sums with. */
interface GraphSums {
  readonly key: string;
  readonly graph: () => GraphBuilder;
  readonly segments: Segments;
  readonly unselected: Float32Array<ArrayBuffer> | undefined;
}

async function graphSums(
  { engine, kernels }: Thread,
  memory: ChunkMemory,
  job: ReduceJob,
  { key, graph, segments, unselected }: GraphSums,
): Promise<Float64Array> {
  const { models, padded, x, base } = memory;
  const operands = {
    models: floats(kernels, x, models * padded),
    base: floats(kernels, base, padded),
    ...(unselected ? { unselected } : {}),
  };
  const maker = segmentFeeds(operands, job, memory, segments);
  const sums = new Float64Array(segments.count * job.sums);
  // A few segments at a time: float64 copies of a whole chunk would be the largest thing in memory.
  const step = Math.max(Math.floor(REDUCED_AT_ONCE / segments.width), 1);
  for (let from = 0; from < segments.count; from += step) {
    const feeds = maker.make(from, Math.min(from + step, segments.count));
    const outputs = await engine.run(key, () => graph().serialize(), feeds.inputs);
    feeds.release();
    sums.set(outputs[REDUCE_OUTPUT]!.data as Float64Array, from * job.sums);
  }
  maker.release();
  return sums;
}

/** Encodes float32 values. */
export function encodedChunk(
  kernels: Kernels,
  memory: ChunkMemory,
  job: Pick<MapJob, "out" | "saturate" | "inputs">,
  values: Float32Array,
): ChunkResult {
  const hasBase = job.inputs.base !== undefined;
  const bytes = encodeResult(kernels, memory, values, hasBase, job);
  return "element" in bytes ? { fault: bytes } : { bytes };
}

/** How the inputs of a call are laid out. */
export function layoutOf(
  inputs: ChunkInputs,
  kinds: ChunkInputs["kinds"],
  call: GraphCall,
  double: boolean,
): Layout {
  return {
    models: inputs.kinds.length,
    statistics: inputs.models.length - inputs.kinds.length,
    base: inputs.base !== undefined,
    kinds,
    double,
    expanded: call.vectors !== undefined,
  };
}

/** Tells the graphs of all methods and layouts apart. */
export function graphKey(stage: string, call: GraphCall, layout: Layout): string {
  const { models, statistics, base, kinds, double, expanded } = layout;
  return [
    stage,
    call.method,
    call.graph,
    call.lines ?? "",
    models,
    statistics,
    base,
    kinds.join(","),
    double,
    expanded,
  ].join("/");
}

/** The graph function of a call. */
export function graphOf({ method, graph, lines }: Omit<GraphCall, "coefficients">): GraphFunction {
  const build = methodNamed(method)?.graphs[graph];
  if (!build) throw new Error(`The method ${method} has no graph ${graph}`);
  return lines === "scaled"
    ? scaledMap(build)
    : lines === "magnitudes"
    ? magnitudeMap(build)
    : build;
}
