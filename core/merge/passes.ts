/**
 * How often the bytes of a tensor are read, and what is held of it in memory.
 *
 * @module
 */
import type { RankMeasure } from "../methods/measure.ts";
import { elementCount } from "../tensor/dtype.ts";
import { RANKS_AT_ONCE } from "../tensor/order_statistics.ts";
import type { CopyWork, MergeWork, PlannedInput } from "./plan_types.ts";

/** Order statistics: counters of 32 bits, coarse ones and those of the bins where a key is expected. */
const COUNTERS = 4 * (65536 + 8 * 32768);
/** Counters of double precision that are added up for one rank. */
const TOTALS = 8 * (65536 + 32768);

/**
 * Passes over a tensor's inputs: one to map or copy, one for each measure, and one to rank magnitudes; more
 * where very many ranks are looked for.
 */
export function passesOf(work: CopyWork | MergeWork): number {
  if (work.kind === "copy") return 1;
  const { measures = [], selections = [] } = work.decision;
  const elements = elementCount(work.inputs[0]!.tensor.shape);
  const passes = (ranks: number) => Math.ceil(ranks / RANKS_AT_ONCE);
  return measures.reduce(
    (sum, measure) => sum + (measure.kind === "ranks" ? passes(wantedRanks(measure, elements)) : 1),
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
export function inputsOf(work: CopyWork | MergeWork): PlannedInput[] {
  if (work.kind === "copy") return [work.input, ...work.compare];
  return [...(work.base ? [work.base] : []), ...work.inputs, ...work.statistics ?? []];
}

/** Bytes read over all passes. */
export function bytesRead(work: CopyWork | MergeWork): number {
  const bytes = inputsOf(work).reduce((sum, { tensor }) => sum + tensor.end - tensor.start, 0);
  return bytes * passesOf(work);
}

/**
 * Bytes that a tensor takes at once: chunks of its inputs and of its output, counters of order statistics,
 * sums of its vectors, and room to rank.
 *
 * @param elements Elements of the tensor.
 * @param chunkMemory Bytes that the chunks of one input take.
 */
export function memoryOf(
  work: CopyWork | MergeWork,
  elements: number,
  chunkMemory: number,
): number {
  const width = inputsOf(work).length + 1;
  if (work.kind === "copy") return width * chunkMemory;
  const { measures = [], selections = [], vectors } = work.decision;
  let chunk = chunkMemory;
  let more = 0;
  for (const selection of selections) {
    if (selection?.kind !== "ranked") continue;
    // Whole vectors are ranked, however long: as float32 in each chunk, and 16 bytes to sort.
    const bytes = Math.min(selection.length * selection.stride, elements) * 4;
    chunk = Math.max(chunk, bytes);
    more = Math.max(more, selection.length * 16);
  }
  const counters = (ranks: number) => Math.min(ranks, RANKS_AT_ONCE) * (COUNTERS + TOTALS);
  more += counters(selectedRanks(selections));
  const count = vectors === undefined
    ? 1
    : vectors.along === "columns"
    ? vectors.rowLength
    : elements / vectors.rowLength;
  for (const measure of measures) {
    if (measure.kind === "sums") more += measure.sums * count * 8;
    else if (measure.kind === "keep") more += 2 * COUNTERS + TOTALS;
    else more += counters(wantedRanks(measure, elements)) + measure.rows * chunkMemory;
  }
  return width * chunk + more;
}
