/**
 * Gathers layer inputs along a merge: those of each layer come from the model whose earlier layers are merged
 * already (RegMean++, Nguyen et al. 2025, arXiv 2508.03121; METHODS.md 9.2).
 *
 * @module
 */
import type { Checkpoint } from "../checkpoint/checkpoint.ts";
import { memorySource } from "../checkpoint/memory_source.ts";
import { openSafetensors } from "../checkpoint/open_safetensors.ts";
import type { ParametricModel } from "../gradient/parameters.ts";
import { readValues } from "../gradient/parameters.ts";
import { makePlan } from "../merge/plan.ts";
import type { Recipe } from "../merge/recipe.ts";
import { selectTensors } from "../merge/select_tensors.ts";
import { METHODS } from "../methods/mod.ts";
import { type MergeOptions, mergeStream } from "../stream/merge_stream.ts";
import { VERSION } from "../version.ts";
import { gatherGrams, layerNames } from "./gather_gram.ts";
import { type Gathering, placeParameters } from "./gathering.ts";
import { statisticsFile } from "./statistics_file.ts";
import { type Added, meansOf, sumUp } from "./sum_up.ts";

/** One model of the merge and the rows that its statistics are taken of. */
export interface AlongModel {
  /** Name of its statistics in the recipe. */
  readonly statistics: string;
  readonly gathering: Gathering;
}

/** What the merge goes along. */
export interface AlongRequest {
  /** Its models' statistics are those to be gathered. */
  readonly recipe: Recipe;
  /** The checkpoints of the recipe's models, by name. */
  readonly checkpoints: ReadonlyMap<string, Checkpoint>;
  /** In the order of the recipe. */
  readonly models: readonly AlongModel[];
  readonly augment: boolean;
  readonly options: MergeOptions;
}

/**
 * Solves layer by layer in the order of the graph: gathers the layer's inputs of every model's rows, merges that
 * layer as the recipe will, and goes on with it.
 *
 * @returns The sums of every layer, by the name of the statistics.
 * @throws {Problem} What the recipe's plan or the rows have against it.
 */
export async function gatherAlong(
  request: AlongRequest,
): Promise<ReadonlyMap<string, ReadonlyMap<string, Added>>> {
  const { models, options: { signal } } = request;
  const sums = new Map(models.map(({ statistics }) => [statistics, new Map<string, Added>()]));
  // Without statistics every tensor is the weighted mean, or whatever the recipe says of it.
  const current = await mergedWith(request, new Map(), undefined);
  const values = new Map<string, Float32Array<ArrayBuffer>>();
  for (const tensor of current.tensors.values()) {
    if (tensor.dtype === "F32") values.set(tensor.name, await readValues(tensor, signal));
  }
  const { gathering: first } = models[0]!;
  await place(first, values);
  const { selects } = selectTensors(request.recipe.tensors);
  for (const weight of (await layerNames(first, request)).filter(selects)) {
    const layer = new Map<string, ReadonlyMap<string, Added>>();
    for (const { statistics, gathering } of models) {
      signal.throwIfAborted();
      await place(gathering, values);
      const found = await gatherGrams({ ...gathering, wanted: new Set([weight]) }, request);
      const added = sums.get(statistics)!;
      sumUp(added, found, gathering.model, gathering.rows.length);
      layer.set(statistics, new Map([...found.keys()].map((name) => [name, added.get(name)!])));
    }
    const merged = await mergedWith(request, layer, solvedBy(layer));
    for (const tensor of merged.tensors.values()) {
      values.set(tensor.name, await readValues(tensor, signal));
    }
  }
  return sums;
}

/** The tensors that a layer's matrices solve for. */
function solvedBy(layer: ReadonlyMap<string, ReadonlyMap<string, Added>>): string[] {
  const [sums] = layer.values();
  return [...sums ?? []].flatMap(([weight, { layer }]) =>
    layer?.bias === undefined ? [weight] : [weight, layer.bias]
  );
}

/** The recipe's merge of some tensors (all without a list), as float32, with these statistics. */
async function mergedWith(
  { recipe, checkpoints, options }: AlongRequest,
  statistics: ReadonlyMap<string, ReadonlyMap<string, Added>>,
  tensors: readonly string[] | undefined,
): Promise<Checkpoint> {
  const opened = new Map(checkpoints);
  for (const { statistics: name } of recipe.models!) {
    const taken = statistics.get(name!) ?? new Map();
    const copies = new Map([...taken].map(([weight, added]) => [
      weight,
      { ...added, sum: Float64Array.from(added.sum) },
    ]));
    const layers = Object.fromEntries(
      [...taken].map(([weight, { layer }]) => [weight, layer]),
    );
    const pieces = statisticsFile(
      meansOf(copies),
      { kind: "gram_along", rows: 0, layers },
      VERSION,
    );
    opened.set(name!, await inMemory(pieces));
  }
  const { selects } = selectTensors(recipe.tensors);
  const only = tensors && {
    include: tensors.filter(selects),
    exclude: [],
    otherwise: "omit" as const,
  };
  const plan = makePlan({
    recipe: { ...recipe, out_dtype: "F32", ...(only ? { tensors: only } : {}) },
    methods: METHODS,
    checkpoints: opened,
    version: VERSION,
  });
  return await inMemory(mergeStream(plan, options));
}

async function inMemory(
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<Checkpoint> {
  const parts: Uint8Array[] = [];
  for await (const piece of pieces) parts.push(piece);
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return await openSafetensors(memorySource(bytes));
}

/** Places merged values; tensors private to the task and what the merge leaves out are the model's own. */
async function place(
  { workspace, model, signal }: Gathering,
  values: ReadonlyMap<string, Float32Array<ArrayBuffer>>,
): Promise<void> {
  await placeParameters(workspace, withValues(model, values), signal);
}

function withValues(
  model: ParametricModel,
  values: ReadonlyMap<string, Float32Array<ArrayBuffer>>,
): ParametricModel {
  return {
    ...model,
    parameters: new Map(
      [...model.parameters].map(([name, parameter]) => {
        const merged = parameter.frozen === "private" ? undefined : values.get(name);
        return [name, merged ? { ...parameter, read: () => Promise.resolve(merged) } : parameter];
      }),
    ),
  };
}
