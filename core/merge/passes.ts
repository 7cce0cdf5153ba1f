/**
 * How often the bytes of a tensor are read, and what is held of it in memory.
 *
 * @module
 */
import type { RankMeasure } from "../methods/measure.ts";
import { elementCount } from "../tensor/dtype.ts";
import { RANKS_AT_ONCE } from "../tensor/order_statistics.ts";
import type { MergeWork, PlannedInput, SolveWork, Work } from "./plan_types.ts";

/** Order statistics: what one thread lists of the keys around one rank, or its counters, which are fewer. */
const LISTS = 4 * 2 ** 18;
/** The same, collected from the threads. */
const COLLECTED = LISTS;

/**
 * Passes over a tensor's inputs: one to map or copy, one for each measure that others do not tell as a rule, and one to
 * rank magnitudes; more where very many ranks are looked for.
 */
export function passesOf(work: Work): number {
  if (work.kind === "matrix") return work.decision.passes;
  if (work.kind !== "merge") return 1;
  const { measures = [], selections = [] } = work.decision;
  const elements = elementCount(work.inputs[0]!.tensor.shape);
  const passes = (ranks: number) => Math.ceil(ranks / RANKS_AT_ONCE);
  // A factor that is found over the whole model needs the whole merge before.
  const times = work.lines && work.lines.alpha === undefined ? 2 : 1;
  return times * measures.reduce(
    (sum, measure) => {
      if (measure.kind === "ranks") return sum + passes(wantedRanks(measure, elements));
      return sum + (measure.kind === "sums" && measure.known ? 0 : 1);
    },
    1 + passes(selectedRanks(selections)),
  );
}

/** How many ranks the selections of a tensor look for. */
function selectedRanks(selections: NonNullable<MergeWork["decision"]["selections"]>): number {
  return selections.reduce((sum, selection) => {
    if (selection?.kind === "magnitude") return sum + (selection.skip ? 2 : 1);
    return sum + (selection?.kind === "model-magnitude" ? 1 : 0);
  }, 0);
}

/** How many ranks a measure looks for. */
function wantedRanks(measure: RankMeasure, elements: number): number {
  let wanted = 0;
  for (let row = 0; row < measure.rows; row++) wanted += measure.ranks(elements, row).length;
  return wanted;
}

/** Every input that is read, the base first. */
export function inputsOf(work: Work): PlannedInput[] {
  if (work.kind === "copy") return [work.input, ...work.compare];
  if (work.kind === "solve") return layerInputs(work);
  const statistics = work.kind === "merge" ? work.statistics ?? [] : [];
  return [...(work.base ? [work.base] : []), ...work.inputs, ...statistics];
}

const bytesOf = (inputs: readonly PlannedInput[]) =>
  inputs.reduce((sum, { tensor }) => sum + tensor.end - tensor.start, 0);

/** Bytes of every input, read once. */
export function inputBytes(work: Work): number {
  return bytesOf(inputsOf(work));
}

/** Bytes read over all passes. */
export function bytesRead(work: Work): number {
  if (work.kind !== "matrix") return inputBytes(work) * passesOf(work);
  // The base stays in memory.
  return bytesOf(work.inputs) * passesOf(work) + bytesOf(work.base ? [work.base] : []);
}

/**
 * Bytes that a tensor takes at once: chunks of its inputs and of its output, counters of order statistics,
 * sums of its vectors, and room to rank.
 *
 * @param elements Elements of the tensor.
 * @param chunkMemory Bytes that the chunks of one input take.
 */
export function memoryOf(
  work: Work,
  elements: number,
  chunkMemory: number,
): number {
  if (work.kind === "solve") return solvingMemory(work);
  // The base and the results of this matrix and of the one before it, in float32.
  if (work.kind === "matrix") return work.decision.memory + 3 * 4 * elements;
  const width = inputsOf(work).length + 1;
  if (work.kind === "copy") return width * chunkMemory;
  const { measures = [], selections = [], vectors } = work.decision;
  let chunk = chunkMemory;
  let more = 0;
  for (const selection of selections) {
    if (selection?.kind !== "ranked") continue;
    // Whole vectors are ranked, however long: as float32 in each chunk, and 24 bytes to sort.
    const bytes = Math.min(selection.length * selection.stride, elements) * 4;
    chunk = Math.max(chunk, bytes);
    more = Math.max(more, selection.length * 24);
  }
  const counters = (ranks: number) => Math.min(ranks, RANKS_AT_ONCE) * (LISTS + COLLECTED);
  more += counters(selectedRanks(selections));
  const count = vectors === undefined
    ? 1
    : vectors.along === "columns"
    ? vectors.rowLength
    : elements / vectors.rowLength;
  for (const measure of measures) {
    if (measure.kind === "sums") more += measure.sums * count * 8;
    else if (measure.kind === "keep") more += counters(1);
    else more += counters(wantedRanks(measure, elements)) + measure.rows * chunkMemory;
  }
  return width * chunk + more;
}

/** Every tensor of the layer, each once. */
function layerInputs({ weights, biases, statistics, ...work }: SolveWork): PlannedInput[] {
  const bases = [work.baseWeight, work.baseBias].filter((input) => input !== undefined);
  return [...bases, ...weights, ...biases ?? [], ...statistics];
}

/** All of a layer in double precision, the sum of the matrices, the result, and the largest tensor as it is read. */
function solvingMemory(work: SolveWork): number {
  const counts = layerInputs(work).map(({ tensor }) => elementCount(tensor.shape));
  const { units, size, groups } = work.decision;
  const matrix = groups * (size + 1) ** 2;
  const own = counts.reduce((sum, count) => sum + count, 0) + matrix + 5 * units * (size + 1);
  return 8 * (own + Math.max(...counts));
}
