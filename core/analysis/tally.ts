/**
 * Adds up what tensors were measured to be, and says what the sums mean.
 *
 * @module
 */
import { type AnalysisSums, analysisSums } from "../methods/analysis.ts";
import type { CutSummary, Norms, Summary } from "./answer.ts";
import { addCounts, emptyCounts, histogramOf, quantilesOf } from "./magnitudes.ts";
import type { MeasuredTensor } from "./measure_tensor.ts";

/** What the numbers of an analysis belong to. */
export interface Subject {
  /** Number of models. */
  readonly models: number;
  /** Whether there is a base. */
  readonly base: boolean;
  /** Whether the models hold weights rather than task vectors. */
  readonly weights: boolean;
}

/** Sums over some tensors, for all models of the analysis. */
export interface Tally {
  readonly subject: Subject;
  elements: number;
  tensors: number;
  readonly sums: Float64Array;
  readonly counts: readonly Float64Array[];
  readonly maximum: number[];
}

/** Starts with no tensor. */
export function createTally(subject: Subject): Tally {
  const { models } = subject;
  return {
    subject,
    elements: 0,
    tensors: 0,
    sums: new Float64Array(analysisSums(models, true).count),
    counts: Array.from({ length: models }, emptyCounts),
    maximum: new Array<number>(models).fill(0),
  };
}

/**
 * Adds a tensor.
 *
 * @param present Which model each input is; the others count as unchanged.
 */
export function addTensor(
  tally: Tally,
  { sums, counts, maximum }: MeasuredTensor,
  present: readonly number[],
  elements: number,
): void {
  const { subject } = tally;
  const from = analysisSums(present.length, subject.base);
  const to = analysisSums(subject.models, true);
  tally.elements += elements;
  tally.tensors++;
  const add = (place: number, value: number) => tally.sums[place]! += value;
  present.forEach((model, i) => {
    present.forEach((other, k) =>
      add(to.products + model * subject.models + other, sums[i * present.length + k]!)
    );
    for (const each of ["mass", "agreeingMass", "changed", "agreeing"] as const) {
      add(to[each] + model, sums[from[each] + i]!);
    }
    if (subject.base) add(to.weights + model, sums[from.weights + i]!);
    addCounts(tally.counts[model]!, counts[i]!);
    tally.maximum[model] = Math.max(tally.maximum[model]!, maximum[i]!);
  });
  add(to.clashes, sums[from.clashes]!);
  if (subject.base) add(to.base, sums[from.base]!);
  // A model without the tensor is unchanged in all of its elements.
  tally.counts.forEach((count, model) => {
    if (!present.includes(model)) count[0]! += elements;
  });
}

/** Adds one tally to another. */
export function addTally(total: Tally, part: Tally): void {
  total.elements += part.elements;
  total.tensors += part.tensors;
  part.sums.forEach((sum, i) => total.sums[i]! += sum);
  part.counts.forEach((counts, model) => {
    addCounts(total.counts[model]!, counts);
    total.maximum[model] = Math.max(total.maximum[model]!, part.maximum[model]!);
  });
}

/** What the sums say. */
export function summaryOf(tally: Tally, histogramParts = 1): Summary {
  const { subject, elements, sums, counts } = tally;
  const places = analysisSums(subject.models, true);
  const perModel = (place: number) => [...sums.subarray(place, place + subject.models)];
  const mass = perModel(places.mass);
  const agreeingMass = perModel(places.agreeingMass);
  const changed = perModel(places.changed);
  const agreeing = perModel(places.agreeing);
  const norms = normsOf(tally, places);
  return {
    elements,
    norms,
    cosines: norms.task_vectors.map((left, i) =>
      norms.task_vectors.map((right, k) => {
        if (left === 0 || right === 0) return null;
        const product = sums[places.products + i * subject.models + k]!;
        return i === k ? 1 : Math.min(Math.max(product / left / right, -1), 1);
      })
    ),
    sign_agreement: {
      elements: agreeing.map((count, i) => share(count, changed[i]!)),
      magnitude: agreeingMass.map((part, i) => share(part, mass[i]!)),
    },
    conflict: {
      elements: share(sums[places.clashes]!, elements) ?? 0,
      mass: Math.max(1 - (share(total(agreeingMass), total(mass)) ?? 1), 0),
    },
    density: changed.map((count) => share(count, elements) ?? 0),
    maximum: [...tally.maximum],
    histogram: histogramOf(counts, changed.map((count) => elements - count), histogramParts),
  };
}

/** The same with the magnitudes at which densities cut. */
export function cutSummaryOf(tally: Tally, histogramParts = 1): CutSummary {
  return {
    ...summaryOf(tally, histogramParts),
    quantiles: tally.counts.map((counts) =>
      tally.elements === 0 ? [] : quantilesOf(counts, tally.elements)
    ),
  };
}

function normsOf({ subject, sums }: Tally, places: AnalysisSums): Norms {
  const { models, base, weights } = subject;
  const vectors = Array.from(
    { length: models },
    (_, i) => Math.sqrt(sums[places.products + i * models + i]!),
  );
  const ofWeights = () =>
    base ? vectors.map((_, i) => Math.sqrt(sums[places.weights + i]!)) : vectors;
  return {
    base: base ? Math.sqrt(sums[places.base]!) : null,
    models: base || weights ? ofWeights() : null,
    task_vectors: vectors,
  };
}

function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}

function share(part: number, whole: number): number | null {
  return whole === 0 ? null : Math.min(part / whole, 1);
}
