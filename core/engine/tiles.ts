/**
 * Jobs that read tensors as they are stored: where the fused engine knows the graph and the element types, and
 * neither selections nor columns need the chunk as a whole.
 *
 * @module
 */
import { mapGraph, reduceGraph } from "./chunk_graph.ts";
import type { ChunkResult, MapJob, ReduceJob } from "./chunk_job.ts";
import { fillExponentials } from "./fused/exponentials.ts";
import { agreeingRows, type Format, isStored } from "./fused/formats.ts";
import { SHORT } from "./fused/fused.ts";
import { mapRaw, reduceRaw } from "./fused/raw_tiles.ts";
import { rowCuts } from "./row_cuts.ts";
import { graphKey, graphOf, layoutOf, type Thread } from "./graph_jobs.ts";

/**
 * Runs a job tile by tile.
 *
 * @returns Undefined if the job is none for tiles, or has a fault, which is found on decoded rows.
 */
export function runTiles(
  { accumulators, fused, kernels, reader }: Thread,
  job: MapJob | ReduceJob,
): ChunkResult | undefined {
  const { inputs } = job;
  const { vectors } = job;
  const whole = job.scored !== undefined ||
    vectors && (vectors.along === "columns" || vectors.length < SHORT);
  const cuts = job.selections && rowCuts(job, job.selections);
  if (job.selections && !cuts) return undefined;
  const stored = formatOf(job);
  if (!fused || whole || !stored) return undefined;
  const format = cuts ? { ...stored, cuts: cuts.rows } : stored;
  const isMap = job.stage === "map";
  const layout = {
    ...layoutOf(inputs, inputs.kinds, job, isMap ? job.double : true),
    // Vectors are worked on one by one, with coefficients of their own.
    expanded: false,
  };
  const compiled = fused.compile(
    graphKey(job.stage, job, layout),
    layout,
    () => isMap ? mapGraph(layout, graphOf(job)) : reduceGraph(layout, graphOf(job), job.sums),
    format,
  );
  if (!compiled) return undefined;
  const exponentials = compiled.readsExponentials
    ? accumulators.lasting("exponentials", (table) => fillExponentials(fused, kernels, table))
    : 0;
  const start = accumulators.end();
  const run = {
    kernels,
    compiled,
    start,
    exponentials,
    reader,
    ...(cuts ? { cuts } : {}),
  };
  return isMap ? mapRaw(run, job) : reduceRaw(run, job);
}

/** How a program reads and writes the job's tensors; undefined if it cannot. */
function formatOf(job: MapJob | ReduceJob): Format | undefined {
  const { models, base, kinds } = job.inputs;
  const types = models.map(({ dtype }) => dtype);
  const out = job.stage === "map" ? job.out : "F32";
  const baseType = base?.dtype ?? types[0]!;
  // What statistics must not be is not watched for.
  if (models.length > kinds.length) return undefined;
  if (!types.every(isStored) || !isStored(baseType) || !isStored(out)) return undefined;
  if (job.stage === "reduce" && new Set([...types, baseType]).size > 1) return undefined;
  // A program is told where the first row's elements lie, and how far apart rows are: in pieces of a tile that would
  // have to differ from row to row.
  if (job.vectors && new Set(types).size > 1) return undefined;
  const agreeing = job.stage === "map" ? agreeingRows(job, kinds.length) : 0;
  if (agreeing === undefined) return undefined;
  return { rows: types, base: baseType, out, watched: true, agreeing };
}
