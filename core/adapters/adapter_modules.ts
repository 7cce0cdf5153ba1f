/**
 * The modules of an adapter: which tensors are their factors, and which shape their task vectors have.
 *
 * @module
 */
import type { StoredTensor } from "../checkpoint/checkpoint.ts";
import { type DType, DTYPES } from "../tensor/dtype.ts";
import { type AdapterConfig, scaleOf } from "./adapter_config.ts";
import { type AdapterName, adapterProblem } from "./adapter_problem.ts";

/** What kind of layer a module is. */
export type ModuleForm = "linear" | "embedding" | "convolution";

/** One adapted module; `ΔW = scale·B·A`, or its transpose. */
export interface AdapterModule {
  /** Its path in the model that was adapted. */
  readonly module: string;
  readonly form: ModuleForm;
  /** `[rank, inputs]`, of a convolution `[rank, inputs, ...kernel]`. */
  readonly a: StoredTensor;
  /** `[outputs, rank]`, of a convolution with ones for the kernel. */
  readonly b: StoredTensor;
  readonly rank: number;
  readonly scale: number;
  /** Whether the weight is `[inputs, outputs]`. */
  readonly transposed: boolean;
  /** Of the weight. */
  readonly shape: readonly number[];
}

/** The prefix of every tensor that PEFT writes. */
export const PREFIX = "base_model.model.";

/** Names of factors: PEFT leaves out the adapter's name when it writes. */
const FACTOR = /^(.+)\.lora_(?:(embedding)_)?([AB])(?:\.default)?(?:\.weight)?$/;
/** Tensors that mark other variants, and what they are. */
const VARIANTS: readonly (readonly [mark: RegExp, what: string])[] = [
  [/\.lora_magnitude_vector(?:\.|$)/, "DoRA (a magnitude vector)"],
  [/\.lora_[AB]\.(?:\w+\.)?bias$/, "a bias beside the factors (lora_bias)"],
  [/\.(?:hada|lokr|oft|boft|vera|ia3|ln_tuning|randlora)_/, "a variant other than LoRA"],
  [/(?:^|\.)(?:prompt_embeddings|prefix)/, "a prompt instead of weights"],
  [/\.modules_to_save\./, "a whole module beside the factors (modules_to_save)"],
  [/\.(?:token_adapter|trainable_tokens)/, "rows of embeddings beside the factors"],
  [
    /\.lora_(?:up|down)\.|\.lora\.(?:up|down)\.|\.alpha$/,
    "factors in the layout of kohya or diffusers, which peft does not write",
  ],
];

/** Whether tensor names are those of an adapter, whatever its variant. */
export function areAdapterNames(names: Iterable<string>): boolean {
  for (const name of names) if (FACTOR.test(name)) return true;
  return false;
}

/**
 * Pairs the factors.
 *
 * @throws {Problem} `unsupported-format` if there is more than factors, `invalid-checkpoint` if a factor or
 * its shape does not fit its pair or the configuration, `unsupported-dtype`; each names source and tensor.
 */
export function adapterModules(
  tensors: ReadonlyMap<string, StoredTensor>,
  config: AdapterConfig,
  adapter: AdapterName,
): AdapterModule[] {
  const pairs = new Map<string, { embedding: boolean; A?: StoredTensor; B?: StoredTensor }>();
  for (const [name, tensor] of tensors) {
    const match = FACTOR.exec(name);
    if (match === null) throw stranger(name, adapter);
    const [, path, embedding, side] = match as unknown as [string, string, string?, string?];
    const module = path.startsWith(PREFIX) ? path.slice(PREFIX.length) : path;
    const pair = pairs.get(module) ?? { embedding: embedding !== undefined };
    if (pair.embedding !== (embedding !== undefined) || pair[side as "A" | "B"] !== undefined) {
      throw damaged(name, adapter, "a module has one pair of factors", module);
    }
    pair[side as "A" | "B"] = tensor;
    pairs.set(module, pair);
  }
  if (pairs.size === 0) {
    throw adapterProblem(
      "invalid-checkpoint",
      adapter,
      "it must have factors named lora_A and lora_B: current number of tensors is 0",
    );
  }
  return [...pairs].map(([module, { embedding, A, B }]) => {
    if (A === undefined || B === undefined) {
      const held = (A ?? B)!.name;
      throw damaged(held, adapter, `its pair lora_${A ? "B" : "A"} is missing`, module);
    }
    return moduleOf(module, embedding, A, B, config, adapter);
  });
}

function moduleOf(
  module: string,
  embedding: boolean,
  a: StoredTensor,
  b: StoredTensor,
  config: AdapterConfig,
  adapter: AdapterName,
): AdapterModule {
  for (const { name, dtype } of [a, b]) checkType(name, dtype, adapter);
  const { rank, scale } = scaleOf(config, module);
  const [ranks, inputs, ...kernel] = a.shape;
  const [outputs, columns, ...ones] = b.shape;
  const isConvolution = a.shape.length > 2;
  const fits = a.shape.length >= 2 && a.shape.length === b.shape.length && ranks === columns &&
    ones.every((size) => size === 1) && !(embedding && isConvolution);
  if (!fits) {
    throw damaged(
      a.name,
      adapter,
      "A must be [r, inputs] and B [outputs, r] (of convolutions with the kernel in A and ones in B)",
      `[${a.shape.join(", ")}] and [${b.shape.join(", ")}]`,
    );
  }
  if (ranks !== rank) {
    throw damaged(a.name, adapter, `the configuration says that its rank is ${rank}`, ranks!);
  }
  const form = isConvolution ? "convolution" : embedding ? "embedding" : "linear";
  const transposed = embedding || form === "linear" && config.fanInFanOut;
  const shape = transposed ? [inputs!, outputs!] : [outputs!, inputs!, ...kernel];
  return { module, form, a, b, rank, scale, transposed, shape };
}

function checkType(tensor: string, dtype: DType, adapter: AdapterName): void {
  if (DTYPES[dtype].kind === "float" && DTYPES[dtype].bytes > 1) return;
  throw adapterProblem(
    "unsupported-dtype",
    adapter,
    `the factor ${JSON.stringify(tensor)} must be of a floating-point type of at least 16 bits: ` +
      `current value is ${dtype}`,
    { tensor, dtype },
  );
}

function stranger(tensor: string, adapter: AdapterName) {
  const variant = VARIANTS.find(([mark]) => mark.test(tensor))?.[1] ??
    "a tensor beside the factors, such as a bias or a module of modules_to_save";
  return adapterProblem(
    "unsupported-format",
    adapter,
    `it has ${variant} (merge it into its base with peft, merge_and_unload, and use the merged ` +
      `weights): current value is ${JSON.stringify(tensor)}`,
    { tensor },
  );
}

function damaged(tensor: string, adapter: AdapterName, what: string, value: string | number) {
  return adapterProblem(
    "invalid-checkpoint",
    adapter,
    `the factor ${JSON.stringify(tensor)} does not fit as ${what}: current value is ${value}`,
    { tensor },
  );
}
