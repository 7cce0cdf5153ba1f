/**
 * A checkpoint that the visitor named: a file, a kept checkpoint, a URL or a hub repository.
 *
 * @module
 */
import type { ProblemDocument } from "../service/problem.ts";

/** What a name stands for. */
export type Origin =
  | { readonly type: "file"; readonly file: File }
  | { readonly type: "checkpoint"; readonly id: string }
  | { readonly type: "url"; readonly url: string }
  | { readonly type: "hub"; readonly hub: string; readonly revision?: string };

/** A tensor as a header tells it. */
export interface OutlinedTensor {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
}

/** What is known of a source once its header was read. */
export interface Outline {
  readonly bytes: number;
  readonly kind: "weights" | "task_vector" | "adapter";
  readonly tensors: readonly OutlinedTensor[];
}

/** A name, what it stands for, and what was found there. */
export interface NamedSource {
  /** As the recipe calls it; unique. */
  readonly name: string;
  readonly origin: Origin;
  readonly outline?: Outline;
  /** Why it cannot be read. */
  readonly fault?: ProblemDocument;
}

/** What a document's `sources` says of one (API.md, section 1). */
export function specOf({ origin }: NamedSource): Record<string, unknown> {
  switch (origin.type) {
    case "file":
      return { upload: true };
    case "checkpoint":
      return { checkpoint: origin.id };
    case "url":
      return { url: origin.url };
    case "hub":
      return {
        hub: origin.hub,
        ...(origin.revision === undefined ? {} : { revision: origin.revision }),
      };
  }
}

/** The files of those sources that are files, by name. */
export function filesOf(sources: readonly NamedSource[]): Map<string, File> {
  return new Map(
    sources.flatMap(({ name, origin }) => origin.type === "file" ? [[name, origin.file]] : []),
  );
}
