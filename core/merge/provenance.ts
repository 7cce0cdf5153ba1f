/**
 * What a result says of its own making, in the file's metadata (METHODS.md 2.13).
 *
 * @module
 */
import type { PlannedTensor } from "./plan_types.ts";
import type { Recipe } from "./recipe.ts";
import type { NumberKind } from "./plan_kinds.ts";

/** What is known of an input's bytes. */
export interface InputProvenance {
  /** Id in the store. */
  readonly id?: string;
  readonly sha256?: string;
  readonly bytes: number;
}

/** What the metadata is made from. */
export interface ProvenanceRequest {
  readonly recipe: Recipe;
  readonly kind: NumberKind | "adapter";
  /** The metadata of the base (or first) model. */
  readonly reference: Readonly<Record<string, string>>;
  readonly inputs: ReadonlyMap<string, InputProvenance>;
  readonly version: string;
  readonly tensors: readonly PlannedTensor[];
}

/** The output's `__metadata__`; equal requests give equal text. */
export function provenance(request: ProvenanceRequest): Record<string, string> {
  const { recipe, kind, reference, inputs, version, tensors } = request;
  const counts: Record<string, number> = { merge: 0, copy: 0, omit: 0 };
  for (const { action } of tensors) counts[action] = (counts[action] ?? 0) + 1;
  return {
    "format": Object.hasOwn(reference, "format") ? reference.format! : "pt",
    "kind": kind,
    "amalgam.version": version,
    "amalgam.recipe": canonicalJson(publicRecipe(recipe)),
    "amalgam.inputs": canonicalJson(Object.fromEntries(inputs)),
    "amalgam.seed": String(recipe.seed),
    "amalgam.rng": recipe.rng,
    "amalgam.counts": canonicalJson(counts),
  };
}

/** JSON without spaces, the keys of every object in ascending order of their UTF-16 units. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(
    value,
    (_, item: unknown) =>
      typeof item === "object" && item !== null && !Array.isArray(item)
        ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => a < b ? -1 : 1))
        : item,
  );
}

/**
 * The recipe without what may be secret: headers, the credentials and queries of URLs, and addresses that were signed
 * for the result.
 */
function publicRecipe({ name: _, sources, output, ...recipe }: Recipe): unknown {
  const open = Object.entries(sources).map(([name, { headers: _, url, ...entry }]) => [
    name,
    url === undefined ? entry : { ...entry, url: publicUrl(url) },
  ]);
  const { put: __, ...form } = output ?? {};
  const isPlain = output?.format === "safetensors" && output.shard_size === undefined;
  return {
    ...recipe,
    // Where it goes is no part of what it is.
    ...(output && !isPlain ? { output: form } : {}),
    sources: Object.fromEntries(open),
  };
}

function publicUrl(text: string): string {
  const url = new URL(text);
  url.username = "";
  url.password = "";
  url.search = "";
  url.hash = "";
  return url.href;
}
