/**
 * What is measured over all tensors of a merge before the first is written: thresholds of `trim_scope`,
 * and measures of scope `model` (METHODS.md, "whole model").
 *
 * @module
 */
import {
  graphOfMeasure,
  type Measure,
  type RankMeasure,
  type SumMeasure,
} from "../methods/measure.ts";
import { type Chunk, mergeChunks } from "./chunks.ts";
import { graphCalls } from "./coefficients.ts";
import type { MergeContext, MergeTensor, ModelScope } from "./context.ts";
import { type CutOf, keyCuts, type NamedThreshold } from "./key_cuts.ts";
import { coefficientsOf } from "./measures.ts";
import { passesPolicy } from "./prepare.ts";
import { type RankedTensor, rankPass, valueOfKey, type WantedRank } from "./rank_pass.ts";
import { reducePass, startingSums } from "./reduce_pass.ts";
import { bindCuts, selector } from "./selections.ts";

/** Takes the measures that belong to the whole model; undefined where there are none. */
export async function measureModel(
  context: MergeContext,
  tensors: readonly MergeTensor[],
): Promise<ModelScope | undefined> {
  const concerned = tensors.filter(({ work: { decision } }) =>
    isModelScoped(decision.measures?.[0]) ||
    decision.selections?.some((selection) => selection?.kind === "model-magnitude")
  );
  const methods = new Set(concerned.map(({ work }) => work.method.name));
  if (methods.size === 0) return undefined;
  const merged: MergeTensor[] = [];
  for (const tensor of tensors) {
    const counts = methods.has(tensor.work.method.name) && tensor.elements > 0;
    if (counts && await passesPolicy(context, tensor)) merged.push(tensor);
  }
  merged.sort((a, b) => a.name < b.name ? -1 : 1);
  const cuts = await magnitudeCuts(context, merged);
  const found = new Map<string, Float64Array[]>(merged.map(({ name }) => [name, []]));
  const whole: ModelScope = {
    found: ({ name }) => found.get(name) ?? [],
    selection(tensor, i) {
      const selection = tensor.work.decision.selections?.[i];
      if (selection?.kind !== "model-magnitude") return undefined;
      const row = laneOf(tensor.work.inputs[i]!.model, selection.density);
      return bindCuts(tensor, cuts.get(row)!);
    },
  };
  const inside = { ...context, whole };
  for (let step = 0;; step++) {
    const taking = merged.filter(({ work }) => isModelScoped(work.decision.measures?.[step]));
    if (taking.length === 0) return whole;
    const first = taking[0]!.work.decision.measures![step]!;
    const values = first.kind === "sums"
      ? await (first.perModel ? sumsOfModels : modelSums)(inside, taking, step)
      : await modelRanks(inside, taking, step);
    taking.forEach(({ name }, i) => found.get(name)!.push(values[i]!));
  }
}

function isModelScoped(measure: Measure | undefined): boolean {
  return measure !== undefined && measure.kind !== "keep" && measure.scope === "model";
}

function laneOf(model: string, density: number): string {
  return `${density}:${model}`;
}

/** The cut of every model and density. */
async function magnitudeCuts(
  context: MergeContext,
  tensors: readonly MergeTensor[],
): Promise<Map<string, CutOf>> {
  const lanes = new Map<string, { model: string; density: number }>();
  const sizes = new Map<string, number>();
  for (const { elements, work: { inputs, decision } } of tensors) {
    inputs.forEach(({ model }, i) => {
      sizes.set(model, (sizes.get(model) ?? 0) + elements);
      const selection = decision.selections?.[i];
      if (selection?.kind !== "model-magnitude") return;
      lanes.set(laneOf(model, selection.density), { model, density: selection.density });
    });
  }
  if (lanes.size === 0) return new Map();
  const models = new Set([...lanes.values()].map(({ model }) => model));
  const wanted = [...lanes.values()].map(({ model, density }) => ({
    row: model,
    rank: Math.max(Math.floor(density * sizes.get(model)!), 1),
  }));
  const ranked = tensors.map((tensor) => ({
    tensor,
    chunks: mergeChunks(tensor, context.chunkElements),
    rows: tensor.work.inputs.map(({ model }) => models.has(model) ? model : undefined),
  }));
  const found = await rankPass(context, ranked, wanted);
  const thresholds = found.map(({ threshold, equals }, i): NamedThreshold => ({
    row: wanted[i]!.row,
    threshold: threshold!,
    ...(equals ? { equals } : {}),
  }));
  const cuts = await keyCuts(context, ranked, thresholds);
  return new Map([...lanes.keys()].map((lane, i) => [lane, cuts[i]!]));
}

/** The sums of one measure over all tensors, the same for each. */
async function modelSums(
  context: MergeContext,
  tensors: readonly MergeTensor[],
  step: number,
): Promise<Float64Array[]> {
  const first = tensors[0]!.work.decision.measures![step] as SumMeasure;
  const into = startingSums(first, 1);
  for (const tensor of tensors) {
    const measure = tensor.work.decision.measures![step] as SumMeasure;
    const chunks = mergeChunks(tensor, context.chunkElements);
    const select = await selector(context, tensor, chunks);
    await reducePass(context, tensor, {
      measure,
      chunks,
      call: callsOf(context, tensor, measure),
      select: await select(),
      into,
    });
  }
  return tensors.map(() => into);
}

/** The sums of one measure over all tensors, model by model; each tensor is given those of its models. */
async function sumsOfModels(
  context: MergeContext,
  tensors: readonly MergeTensor[],
  step: number,
): Promise<Float64Array[]> {
  const totals = new Map<string, Float64Array>();
  for (const tensor of tensors) {
    const measure = tensor.work.decision.measures![step] as SumMeasure;
    const chunks = mergeChunks(tensor, context.chunkElements);
    const select = await selector(context, tensor, chunks);
    const { sums } = await reducePass(context, tensor, {
      measure,
      chunks,
      call: callsOf(context, tensor, measure),
      select: await select(),
      into: startingSums(measure, 1),
    });
    const { inputs } = tensor.work;
    const width = sums.length / inputs.length;
    inputs.forEach(({ model }, i) => {
      const total = totals.get(model) ?? new Float64Array(width);
      for (let k = 0; k < width; k++) total[k]! += sums[i * width + k]!;
      totals.set(model, total);
    });
  }
  return tensors.map(({ work: { inputs } }) =>
    Float64Array.from(inputs.flatMap(({ model }) => [...totals.get(model)!]))
  );
}

/** The values at one measure's ranks, for each tensor. */
async function modelRanks(
  context: MergeContext,
  tensors: readonly MergeTensor[],
  step: number,
): Promise<Float64Array[]> {
  const ranked = tensors.map((tensor): RankedTensor => {
    const measure = tensor.work.decision.measures![step] as RankMeasure;
    const call = callsOf(context, tensor, measure);
    const { inputs } = tensor.work;
    const models = inputs.length;
    return {
      tensor,
      chunks: mergeChunks(tensor, context.chunkElements),
      rows: Array.from(
        { length: measure.rows },
        (_, row) => `${Math.floor(row / models)}:${inputs[row % models]!.model}`,
      ),
      scores: (chunk) => ({ ...call(chunk), rows: measure.rows, double: measure.double ?? false }),
    };
  });
  const sizes = new Map<string, number>();
  for (const { tensor, rows } of ranked) {
    for (const row of rows) sizes.set(row!, (sizes.get(row!) ?? 0) + tensor.elements);
  }
  /** What each tensor asks for, and of that everything once. */
  const asked = ranked.map(({ tensor, rows }) => {
    const measure = tensor.work.decision.measures![step] as RankMeasure;
    return rows.flatMap((row, i) =>
      measure.ranks(sizes.get(row!)!, i).map((rank) => ({ row: row!, rank }))
    );
  });
  const lane = ({ row, rank }: { row: string; rank: number }) => `${rank}:${row}`;
  const wanted = new Map<string, WantedRank>();
  for (const wish of asked.flat()) wanted.set(lane(wish), wish);
  const found = await rankPass(context, ranked, [...wanted.values()]);
  const values = new Map(
    [...wanted.keys()].map((key, i) => [key, valueOfKey(found[i]!.threshold!.key)]),
  );
  return asked.map((wishes) => Float64Array.from(wishes, (wish) => values.get(lane(wish))!));
}

function callsOf(context: MergeContext, tensor: MergeTensor, measure: SumMeasure | RankMeasure) {
  const found = context.whole!.found(tensor);
  const calls = graphCalls(tensor, graphOfMeasure(measure, found), coefficientsOf(measure), found);
  return (chunk: Chunk) => calls(chunk);
}
