/**
 * A recipe and checkpoints for every merge method, for tests that go through the whole table.
 *
 * @module
 */
import { METHODS } from "../../core/methods/mod.ts";
import type { DType } from "../../core/tensor/dtype.ts";
import type { TestTensor } from "./merging.ts";

const NAMES = ["layers.0.w", "layers.1.w", "layers.2.w", "embed.w"];

/** Names of the tensors of {@linkcode gridCheckpoint}. */
export const TENSORS: readonly string[] = NAMES;

/** Values on a dyadic grid that every 16-bit type holds, different from tensor to tensor. */
export function gridCheckpoint(
  seed: number,
  dtype: DType = "F32",
  scale = 1,
): Readonly<Record<string, TestTensor>> {
  const count = 12;
  return Object.fromEntries(
    NAMES.map((name, t) => [name, {
      dtype,
      shape: [3, count / 3],
      values: Array.from(
        { length: count },
        (_, i) => scale * ((Math.imul(i + 7 * t + 1, 40503 * seed + 17) >>> 5) % 257 - 128) / 64,
      ),
    }]),
  );
}

/** The models of the recipes, besides `base`. */
export const MODEL_NAMES: readonly string[] = ["a", "b", "c"];

/** A recipe of a method, with what it cannot do without. Methods with statistics have none. */
export function methodRecipe(name: string): Record<string, unknown> {
  const method = METHODS.get(name)!;
  const models = MODEL_NAMES.slice(0, Math.min(method.models.maximum, 3));
  const roles = ["a", "b", "c"];
  return {
    merge_method: name,
    ...(method.base === "listed" ? {} : { base_model: "base" }),
    models: models.map((model, i) => ({
      model,
      parameters: {
        ...(method.parameters.weight ? { weight: 0.5 } : {}),
        ...(method.parameters.role ? { role: roles[i] } : {}),
      },
    })),
    parameters: method.parameters.t ? { t: 0.25 } : {},
    experimental: true,
  };
}

/** Methods that need neither statistics nor adapters. */
export const PLAIN_METHODS: readonly string[] = [...METHODS.values()]
  .filter(({ name, statistics }) => statistics === undefined && !name.startsWith("lora_"))
  .map(({ name }) => name);
