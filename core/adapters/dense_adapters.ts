/**
 * Adapters among the models of a merge, as the task vectors that they stand for (METHODS.md 10).
 *
 * @module
 */
import type { Checkpoint, StoredTensor } from "../checkpoint/checkpoint.ts";
import { DTYPES, elementCount } from "../tensor/dtype.ts";
import { parseAdapterConfig } from "./adapter_config.ts";
import { type AdapterModule, adapterModules } from "./adapter_modules.ts";
import { type AdapterName, adapterProblem } from "./adapter_problem.ts";
import { bindModules } from "./module_names.ts";
import { factorMemory, productSource, zeroSource } from "./product_source.ts";

/** Dense task vectors in place of adapters. */
export interface DenseAdapters {
  /** All checkpoints; those of adapters are task vectors whose bytes are computed when they are read. */
  readonly checkpoints: ReadonlyMap<string, Checkpoint>;
  /** Bytes of factors that are held at once. */
  readonly memory: number;
}

/**
 * The modules of an opened adapter.
 *
 * @throws {Problem} What its configuration or its tensors are at fault with.
 */
export function modulesOf(checkpoint: Checkpoint, adapter: AdapterName): AdapterModule[] {
  if (checkpoint.config === undefined) throw configMissing(adapter);
  const config = parseAdapterConfig(checkpoint.config, adapter);
  return adapterModules(checkpoint.tensors, config, adapter);
}

/** What is thrown where an adapter comes without its configuration. */
export function configMissing(adapter: AdapterName) {
  const name = adapter ?? "NAME";
  return adapterProblem(
    "invalid-checkpoint",
    adapter,
    `its adapter_config.json, which says how its factors are scaled, is nowhere: send it as the part ` +
      `${
        JSON.stringify(`${name}.config`)
      }, put it beside the file, or store the adapter with the ` +
      `header Adapter-Config: current value is undefined`,
    { part: `${name}.config` },
  );
}

/**
 * Replaces adapters. Their modules get the names of the base's tensors (without a base, of the other
 * models'), and where another model has a floating-point tensor that the adapter has no module for, it
 * gets zeros; tensors that no model changes stay out.
 *
 * @param base The base model's name.
 * @param models Names of the models that take part.
 * @throws {Problem} What an adapter is at fault with; `mismatch` if a module fits no tensor.
 */
export function denseAdapters(
  checkpoints: ReadonlyMap<string, Checkpoint>,
  base: string | undefined,
  models: readonly string[],
): DenseAdapters {
  const adapters = models.filter((name) => checkpoints.get(name)?.kind === "adapter");
  if (adapters.length === 0) return { checkpoints, memory: 0 };
  const others = models.filter((name) => name !== base && !adapters.includes(name));
  const reference = checkpoints.get(base ?? others[0] ?? "");
  const names = reference && new Set(reference.tensors.keys());
  const changed = new Map<string, StoredTensor>();
  for (const name of others) {
    for (const [tensor, stored] of checkpoints.get(name)!.tensors) {
      if (DTYPES[stored.dtype].kind === "float") changed.set(tensor, stored);
    }
  }
  let memory = 0;
  const dense = new Map<string, Map<string, StoredTensor>>();
  for (const name of adapters) {
    const modules = modulesOf(checkpoints.get(name)!, name);
    memory += factorMemory(modules);
    const tensors = denseTensors(modules, names, name);
    for (const [tensor, stored] of tensors) changed.has(tensor) || changed.set(tensor, stored);
    dense.set(name, tensors);
  }
  const result = new Map(checkpoints);
  for (const [name, tensors] of dense) {
    for (const [tensor, { shape }] of changed) {
      if (!tensors.has(tensor)) tensors.set(tensor, zeros(tensor, shape));
    }
    result.set(name, {
      ...checkpoints.get(name)!,
      kind: "task_vector",
      isPartial: true,
      tensors,
    });
  }
  return { checkpoints: result, memory };
}

/** The task vector of every module, in the order of the base's tensors. */
function denseTensors(
  modules: readonly AdapterModule[],
  names: ReadonlySet<string> | undefined,
  adapter: string,
): Map<string, StoredTensor> {
  const bound = bindModules(modules.map(({ module }) => module), names, adapter);
  const cache = new Map();
  return new Map(modules.map((module) => {
    const name = bound.get(module.module)!;
    const source = productSource(module, cache);
    const { shape } = module;
    return [name, { name, dtype: "F32", shape, source, start: 0, end: source.byteLength }];
  }));
}

function zeros(name: string, shape: readonly number[]): StoredTensor {
  const end = DTYPES.F32.bytes * elementCount(shape);
  return { name, dtype: "F32", shape, source: zeroSource(end), start: 0, end };
}
