/**
 * Opens what a task needs: the model with its weights as inputs, and the rows.
 *
 * @module
 */
import type { Checkpoint } from "../checkpoint/checkpoint.ts";
import { openSafetensors } from "../checkpoint/open_safetensors.ts";
import { dataInputs, type ParametricModel, parametricModel } from "../gradient/parameters.ts";
import { bindSources, type Sources, type SourceSpec, type UsedNames } from "../merge/sources.ts";
import type { OnnxModel } from "../onnx/model.ts";
import { Problem } from "../problem.ts";
import { isExternalData } from "../sources/external_data.ts";
import { openModel } from "../sources/open_model.ts";
import { openBytes, type SourcePorts, type UploadedSource } from "../sources/open_sources.ts";
import { type BoundData, openTaskData } from "./batches.ts";
import { openShard } from "./shard/open_shard.ts";
import type { Shard } from "./shard/shard.ts";
import type { TaskDocument } from "./task_document.ts";

/**
 * Binds the names of a document. Uploads of a model's external data need no names there.
 *
 * @throws {Problem} `unknown-source`, `invalid-recipe`.
 */
export function bindTaskSources(
  names: UsedNames,
  entries: Sources,
  uploads: ReadonlyMap<string, UploadedSource>,
): ReadonlyMap<string, SourceSpec> {
  return bindSources(names, entries, {
    uploads: [...uploads.keys()].filter((name) => names.has(name) || !isExternalData(name)),
  });
}

/** Where sources come from, and what was opened so far. */
export interface TaskSources {
  readonly specs: ReadonlyMap<string, SourceSpec>;
  readonly uploads: ReadonlyMap<string, UploadedSource>;
  readonly ports: SourcePorts;
  readonly signal: AbortSignal;
  /** Receives what closes the opened sources. */
  readonly closers: (() => void)[];
}

/** A shard bound to a model's inputs. */
export interface OpenedRows {
  readonly shard: Shard;
  readonly data: BoundData;
}

/** Opens a checkpoint of weights by its source's name; the closers close it. */
export async function openWeights(sources: TaskSources, name: string): Promise<Checkpoint> {
  const { specs, uploads, ports, signal, closers } = sources;
  const spec = specs.get(name)!;
  const { bytes } = await openBytes(name, spec, uploads, ports, signal);
  closers.push(() => bytes.close?.());
  const kind = spec.kind === undefined ? {} : { kind: spec.kind };
  const checkpoint = await openSafetensors(bytes, { name, signal, ...kind });
  if (checkpoint.kind !== "weights") {
    throw new Problem(
      "mismatch",
      `Cannot start from "${name}" as it must hold weights: current value is ${checkpoint.kind}`,
      { source: name },
    );
  }
  return checkpoint;
}

/** Opens a checkpoint of weights that a document need not name. */
export async function openNamed(
  sources: TaskSources,
  name: string | undefined,
): Promise<Checkpoint | undefined> {
  return name === undefined ? undefined : await openWeights(sources, name);
}

/**
 * Opens a model by its source's name; the closers give its memory back.
 *
 * @param copies How often its bytes will be in memory.
 */
export function openGraph(
  { specs, uploads, ports, signal, closers }: TaskSources,
  name: string,
  copies?: number,
): Promise<OnnxModel> {
  return openModel(name, specs.get(name)!, uploads, ports, signal, closers, copies);
}

/**
 * Makes the weights of a graph inputs, with the task's own tensors among them.
 *
 * @param start Replaces the weights of the graph.
 * @param exportedWith What the graph was exported with, if not with `start`.
 * @throws {Problem} Whatever is wrong with the sources or does not fit together.
 */
export async function openTaskModel(
  sources: TaskSources,
  graph: OnnxModel,
  task: TaskDocument,
  start: Checkpoint | undefined,
  exportedWith: Checkpoint | undefined,
): Promise<ParametricModel> {
  const own = task.parameters === undefined
    ? undefined
    : await openWeights(sources, task.parameters);
  return await parametricModel(graph, task.output, {
    ...(start ? { start } : {}),
    ...(exportedWith ? { exportedWith } : {}),
    ...(own ? { own } : {}),
    signal: sources.signal,
  });
}

/**
 * Opens a shard of a task; the closers close it.
 *
 * @param name Name of the shard's source.
 * @throws {Problem} Whatever is wrong with the shard, or does not fit the model.
 */
export async function openRows(
  sources: TaskSources,
  model: ParametricModel,
  task: TaskDocument,
  name: string,
): Promise<OpenedRows> {
  const { specs, uploads, ports, signal, closers } = sources;
  const { bytes } = await openBytes(name, specs.get(name)!, uploads, ports, signal);
  closers.push(() => bytes.close?.());
  const shard = await openShard(bytes, name, signal);
  return { shard, data: openTaskData(shard, { ...task, shard: name }, dataInputs(model)) };
}
