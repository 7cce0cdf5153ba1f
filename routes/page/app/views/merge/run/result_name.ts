/**
 * What a result is called, and whether it can be kept.
 *
 * @module
 */
import type { RecipeDocument } from "../recipe/recipe_document.ts";

/** The form of a result. */
export interface ResultForm {
  readonly extension: ".safetensors" | ".onnx" | ".zip";
  /** Whether the service can keep it as a checkpoint, and so make it by a job. */
  readonly isCheckpoint: boolean;
  /** Whether it is sent elsewhere and not answered. */
  readonly isPut: boolean;
}

/** The form that a recipe asks for. */
export function resultForm({ output }: RecipeDocument): ResultForm {
  const { format, shard_size, put } = (output ?? {}) as Readonly<Record<string, unknown>>;
  const isZip = format === "peft" || (shard_size !== undefined && shard_size !== null);
  const extension = isZip ? ".zip" : format === "onnx" ? ".onnx" : ".safetensors";
  return {
    extension,
    isCheckpoint: extension === ".safetensors",
    isPut: put !== undefined && put !== null,
  };
}

/** The hosts that a recipe sends its result to; none if it is answered. */
export function putHosts({ output }: RecipeDocument): string[] {
  const { put } = (output ?? {}) as Readonly<Record<string, unknown>>;
  const urls = Array.isArray(put) ? put : [put];
  return [...new Set(urls.flatMap((url) => URL.parse(String(url))?.host ?? []))];
}

/** The name of the file, as the service would name it. */
export function resultName(recipe: RecipeDocument): string {
  const { extension } = resultForm(recipe);
  const name = typeof recipe.name === "string" && recipe.name !== ""
    ? recipe.name
    : `merged-${recipe.merge_method}`;
  const stem = name.replace(/\.(?:safetensors|onnx|zip)$/, "").replaceAll(/[\\/:*?"<>|]/g, "_");
  return stem + extension;
}
