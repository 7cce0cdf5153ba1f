/**
 * Runs an analysis over a plan, tensor by tensor, in constant memory.
 *
 * @module
 */
import type { ChunkExecutor } from "../engine/chunk_job.ts";
import type { Plan, PlannedTensor } from "../merge/plan_types.ts";
import { createBufferPool, IDLE_BYTES } from "../stream/buffers.ts";
import type { MergeContext, MergeTensor } from "../stream/context.ts";
import type { Analysis, LayerSummary, SkippedTensor, TensorSummary } from "./answer.ts";
import { byDepth, layerOf } from "./layer_names.ts";
import { DENSITIES } from "./magnitudes.ts";
import { type MeasuredTensor, measureTensor } from "./measure_tensor.ts";
import { type SpectrumOptions, spectrumTaker } from "./take_spectrum.ts";
import {
  addTally,
  addTensor,
  createTally,
  cutSummaryOf,
  type Subject,
  summaryOf,
  type Tally,
} from "./tally.ts";

/** Into how many bins an octave falls in the histogram of the whole model. */
const TOTAL_PARTS = 4;

/** Where an analysis stands. */
export interface AnalysisProgress {
  readonly done: number;
  readonly total: number;
  readonly unit: "elements";
  /** Name of the tensor that was measured last. */
  readonly message: string;
}

/** What an analysis runs with. */
export interface AnalysisOptions {
  readonly executor: ChunkExecutor;
  /** Elements per chunk, a multiple of 4096. */
  readonly chunkElements: number;
  readonly signal: AbortSignal;
  /** Absent: singular values are not looked at. */
  readonly spectrum?: SpectrumOptions;
  readonly onProgress?: (progress: AnalysisProgress) => void;
}

/** Names of an analysis. */
export interface AnalysisNames {
  /** Name of the base, if there is one. */
  readonly base?: string;
  /** The models besides the base, in request order. */
  readonly models: readonly string[];
}

/** A layer that is being added up. */
interface LayerTally {
  readonly name: string;
  readonly tally: Tally;
}

/**
 * Measures every tensor of the plan that is merged by the method `analysis`.
 *
 * With the plan's `non_finite` at `error` a value that is not finite ends the analysis; else its tensor is
 * counted and left out.
 *
 * @throws {Problem} `non-finite`, `upstream`, `unavailable`.
 */
export async function analyze(
  plan: Plan,
  { base, models }: AnalysisNames,
  options: AnalysisOptions,
): Promise<Analysis> {
  const { signal, executor, chunkElements } = options;
  const buffers = createBufferPool(IDLE_BYTES);
  const nonFinite = plan.nonFinite === "error" ? "error" : "propagate";
  const context: MergeContext = {
    plan: { ...plan, nonFinite },
    executor,
    chunkElements,
    buffers,
    signal,
  };
  const weights = plan.kind === "weights";
  const subject: Subject = { models: models.length, base: base !== undefined, weights };
  const total = createTally(subject);
  const layers: LayerSummary[] = [];
  let open: LayerTally | undefined;
  const tensors: TensorSummary[] = [];
  const skipped: SkippedTensor[] = [];
  const faulty = models.map(() => 0);
  const elements = plan.tensors.reduce((sum, tensor) => sum + tensor.elements, 0);
  const spectra = spectrumTaker(options.spectrum, models.length);
  let done = 0;
  // By depth, so that only one layer is being added up at a time: its counts take megabytes.
  for (const tensor of [...plan.tensors].sort(inDepth)) {
    signal.throwIfAborted();
    if (!isMeasured(tensor)) {
      skipped.push({ name: tensor.name, reason: tensor.reasons[0] ?? tensor.action });
    } else {
      const measured = await measureTensor(context, tensor);
      const present = tensor.work.inputs.map(({ model }) => models.indexOf(model));
      present.forEach((model, i) => faulty[model]! += measured.nonFinite[i]!);
      if (measured.maximum.length === 0) {
        skipped.push(nonFiniteTensor(tensor, measured, present, models));
      } else {
        const tally = createTally(subject);
        addTensor(tally, measured, present, tensor.elements);
        const spectrum = await spectra.of(context, tensor, present);
        tensors.push({
          ...tensorSummary(tensor, tally, present, models),
          ...(spectrum ? { spectrum } : {}),
        });
        const { name } = layerOf(tensor.name);
        if (open?.name !== name) {
          if (open) layers.push(layerSummary(open));
          open = { name, tally: createTally(subject) };
        }
        addTally(open.tally, tally);
        addTally(total, tally);
      }
    }
    done += tensor.elements;
    options.onProgress?.({ done, total: elements, unit: "elements", message: tensor.name });
  }
  if (open) layers.push(layerSummary(open));
  return {
    base: base ?? null,
    models,
    operand: subject.base || !weights ? "task_vectors" : "weights",
    densities: DENSITIES,
    total: cutSummaryOf(total, TOTAL_PARTS),
    layers,
    tensors,
    skipped,
    non_finite: faulty,
    warnings: [...plan.warnings, ...spectra.warnings()],
  };
}

function isMeasured(tensor: PlannedTensor): tensor is MergeTensor {
  return tensor.work?.kind === "merge" && tensor.work.method.name === "analysis" &&
    tensor.elements > 0;
}

function inDepth(left: PlannedTensor, right: PlannedTensor): number {
  return byDepth(layerOf(left.name), layerOf(right.name)) || (left.name < right.name ? -1 : 1);
}

function layerSummary({ name, tally }: LayerTally): LayerSummary {
  return { name, tensors: tally.tensors, ...summaryOf(tally) };
}

function tensorSummary(
  { name, shape, work }: MergeTensor,
  tally: Tally,
  present: readonly number[],
  models: readonly string[],
): TensorSummary {
  const missing = models.filter((_, i) => !present.includes(i));
  return {
    name,
    shape,
    dtype: (work.base ?? work.inputs[0]!).tensor.dtype,
    layer: layerOf(name).name,
    ...(missing.length > 0 ? { missing } : {}),
    ...cutSummaryOf(tally),
  };
}

function nonFiniteTensor(
  { name }: MergeTensor,
  { nonFinite }: MeasuredTensor,
  present: readonly number[],
  models: readonly string[],
): SkippedTensor {
  const counts = models.map((_, model) => {
    const input = present.indexOf(model);
    return input < 0 ? 0 : nonFinite[input]!;
  });
  return { name, reason: "non_finite", non_finite: counts };
}
