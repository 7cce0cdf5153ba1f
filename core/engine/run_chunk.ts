/**
 * Does the work of one chunk on this thread: decode, select, run the graph, encode.
 *
 * @module
 */
import { methodNamed } from "../methods/mod.ts";
import type { Layout } from "../onnx/operands.ts";
import { createKernels, type Kernels } from "../tensor/kernels/mod.ts";
import { maskThreshold } from "../tensor/random.ts";
import {
  buildMapGraph,
  buildReduceGraph,
  INPUT,
  MAP_OUTPUT,
  REDUCE_OUTPUT,
} from "./chunk_graph.ts";
import type {
  ChunkInputs,
  ChunkJob,
  ChunkResult,
  ChunkSelections,
  MapJob,
  ReduceJob,
} from "./chunk_job.ts";
import { type ChunkMemory, encodeResult, floats, loadChunk } from "./chunk_memory.ts";
import type { Engine } from "./engine.ts";
import { allAgree, coefficientFeeds, segmentFeeds, segmentsOf } from "./feeds.ts";
import { inputBuffersOf } from "./worker_protocol.ts";
import {
  type Accumulators,
  countMagnitudes,
  createAccumulators,
  keepLargest,
} from "./magnitudes.ts";

/** Rows are padded to a whole number of SIMD groups; flat reductions to whole blocks. */
const GROUP = 8;
/** Elements per block of a reduction (METHODS.md 2.3). */
export const BLOCK = 4096;

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
    const result = tail.then(() => runJob(engine, kernels, accumulators, job));
    tail = result.catch(() => {});
    return "inputs" in job
      ? result.then((done) => ({ ...done, spent: inputBuffersOf(job.inputs) }))
      : result;
  };
}

async function runJob(
  engine: Engine,
  kernels: Kernels,
  accumulators: Accumulators,
  job: ChunkJob,
): Promise<ChunkResult> {
  if (job.stage === "collect") return { histograms: accumulators.collect(job) };
  const slots = job.stage === "histogram"
    ? job.windows.map((window, i) => window && accumulators.slot(job.id, i))
    : [];
  const scratch = accumulators.slot("scratch", 0);
  const unit = job.stage === "reduce" && !job.rows ? BLOCK : GROUP;
  const loaded = loadChunk(kernels, accumulators.end(), job.inputs, unit);
  if ("element" in loaded) return { fault: loaded };
  const { count, padded, origins } = loaded;
  const row = (model: number) => loaded.x + model * padded * 4;

  switch (job.stage) {
    case "scan":
      return {};
    case "histogram":
      job.windows.forEach((window, i) => {
        if (window) countMagnitudes(kernels, row(i), origins[i]!, count, slots[i]!, window);
      });
      return {};
    case "equal":
      return {
        counts: job.keys.map((key, i) =>
          key === undefined ? 0 : kernels.call.countEqual(row(i), origins[i]!, count, key)
        ),
      };
    case "convert":
      return encoded(kernels, loaded, job, floats(kernels, loaded.x, padded));
    case "reduce":
      return await reduce(engine, kernels, loaded, job, scratch);
    case "map":
      return await map(engine, kernels, loaded, job, scratch);
  }
}

async function map(
  engine: Engine,
  kernels: Kernels,
  memory: ChunkMemory,
  job: MapJob,
  scratch: number,
): Promise<ChunkResult> {
  const { models, padded, x, base } = memory;
  if (job.selections) select(kernels, memory, job.selections, scratch);
  const layout = layoutOf(job.inputs, job.rows !== undefined);
  const outputs = await engine.run(
    graphKey("map", job, layout),
    () => buildMapGraph(layout, graphOf(job)),
    {
      [INPUT.models]: {
        type: "float32",
        shape: [models, padded],
        data: floats(kernels, x, models * padded),
      },
      [INPUT.base]: { type: "float32", shape: [1, padded], data: floats(kernels, base, padded) },
      ...coefficientFeeds(job.coefficients, padded, memory.count, job.rows),
    },
  );
  const result = outputs[MAP_OUTPUT]!.data as Float32Array<ArrayBuffer>;
  const y = floats(kernels, memory.staging, padded);
  y.set(result);
  release(result);
  if (job.agreed) kernels.call.takeAgreed(memory.staging, x, models, padded * 4, padded);
  return encoded(kernels, memory, job, y);
}

async function reduce(
  engine: Engine,
  kernels: Kernels,
  memory: ChunkMemory,
  job: ReduceJob,
  scratch: number,
): Promise<ChunkResult> {
  const { models, padded, x, base } = memory;
  const rows = floats(kernels, x, models * padded);
  const unselected = job.selections && rows.slice();
  const agreed = allAgree(kernels, memory, job.inputs.base !== undefined);
  if (job.selections) select(kernels, memory, job.selections, scratch);
  const layout = layoutOf(job.inputs, job.rows !== undefined);
  const operands = {
    models: rows,
    base: floats(kernels, base, padded),
    ...(unselected ? { unselected } : {}),
  };
  const segments = segmentsOf(memory, job.rows, BLOCK);
  const sums = new Float64Array(segments.count * job.sums);
  // A few segments at a time: float64 copies of a whole chunk would be the largest thing in memory.
  const step = Math.max(Math.floor(REDUCED_AT_ONCE / segments.width), 1);
  for (let from = 0; from < segments.count; from += step) {
    const to = Math.min(from + step, segments.count);
    const feeds = segmentFeeds(operands, memory, segments, from, to);
    const outputs = await engine.run(
      graphKey("reduce", job, layout),
      () => buildReduceGraph(layout, graphOf(job), job.sums),
      feeds,
    );
    sums.set(outputs[REDUCE_OUTPUT]!.data as Float64Array, from * job.sums);
    for (const feed of Object.values(feeds)) release(feed.data as Float32Array<ArrayBuffer>);
  }
  if (unselected) release(unselected);
  return { sums, ...agreed };
}

/**
 * Frees an array's memory now. The collector lets 64 MB of buffers pile up per thread before it looks,
 * which is more than everything else that a merge holds.
 */
function release(array: Float32Array<ArrayBuffer>): void {
  array.buffer.transfer(0);
}

/** Gives dropped elements the value of the base. */
function select(
  kernels: Kernels,
  memory: ChunkMemory,
  selections: ChunkSelections,
  scratch: number,
): void {
  const { count, padded } = memory;
  const { call } = kernels;
  selections.forEach((selection, i) => {
    if (!selection) return;
    const base = memory.origins[i]!;
    const x = memory.x + i * padded * 4;
    switch (selection.kind) {
      case "largest":
        if (selection.keep > 0) {
          keepLargest(kernels, x, base, count, padded, selection.keep, scratch);
        } else call.keepFrom(x, base, padded, 0x7fffffff);
        break;
      case "threshold":
        if (selection.quota >= count) call.keepFrom(x, base, padded, selection.key);
        else if (selection.quota === 0) call.keepFrom(x, base, padded, selection.key + 1);
        else call.keepWithQuota(x, base, count, selection.key, selection.quota);
        break;
      case "random": {
        const [k0, k1] = selection.key;
        const limit = maskThreshold(selection.probability);
        // One block at a time, so that the low counter word cannot wrap inside a call.
        for (let at = 0; at < padded; at += BLOCK) {
          const pair = (selection.first + at) / 2;
          const size = Math.min(BLOCK, padded - at);
          const [low, high] = [pair % 2 ** 32 | 0, Math.floor(pair / 2 ** 32)];
          call.keepRandom(x + at * 4, base + at * 4, size, k0, k1, low, high, limit);
        }
        break;
      }
      case "mask": {
        const values = floats(kernels, x, count);
        const replacement = floats(kernels, base, count);
        for (let e = 0; e < count; e++) {
          if (selection.keep[e] === 0) values[e] = replacement[e]!;
        }
      }
    }
  });
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

function layoutOf(inputs: ChunkInputs, rows: boolean): Layout {
  return {
    models: inputs.models.length,
    base: inputs.base !== undefined,
    kinds: inputs.kinds,
    vectors: rows ? "rows" : "tensor",
  };
}

function graphKey(stage: string, job: MapJob | ReduceJob, layout: Layout): string {
  const { models, base, kinds, vectors } = layout;
  return [stage, job.method, job.graph, models, base, kinds.join(","), vectors].join("/");
}

function graphOf({ method, graph }: { method: string; graph: string }) {
  const build = methodNamed(method)?.graphs[graph];
  if (!build) throw new Error(`The method ${method} has no graph ${graph}`);
  return build;
}
