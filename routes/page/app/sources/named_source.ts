/**
 * A checkpoint that the visitor named: a file, a kept checkpoint, a URL or a hub repository.
 *
 * @module
 */
import type { ProblemDocument } from "../service/problem.ts";

/** What a name stands for. */
export type Origin =
  | {
    readonly type: "file";
    readonly file: File;
    /** Of an adapter: its `adapter_config.json`. */
    readonly config?: File;
    /** Files that it names, such as the shards of an index, by their names. */
    readonly beside?: ReadonlyMap<string, File>;
  }
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
  readonly kind: "weights" | "task_vector" | "adapter" | "statistics";
  readonly tensors: readonly OutlinedTensor[];
  /** What its header says of itself. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** A name, what it stands for, and what was found there. */
export interface NamedSource {
  /** As the recipe calls it; unique. */
  readonly name: string;
  readonly origin: Origin;
  /** Absent as long as its header is being read. */
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

/** The `sources` of a document that uses these. */
export function specsOf(sources: readonly NamedSource[]): Record<string, unknown> {
  return Object.fromEntries(sources.map((source) => [source.name, specOf(source)]));
}

/** The files of those sources that are files, by the name of their part; an adapter's configuration is one too. */
export function filesOf(sources: readonly NamedSource[]): Map<string, File> {
  return new Map(
    sources.flatMap(({ name, origin }): [string, File][] => {
      if (origin.type !== "file") return [];
      const { file, config } = origin;
      return config ? [[name, file], [`${name}.config`, config]] : [[name, file]];
    }),
  );
}

/** Where a source is, in words. */
export function placeOf({ origin }: NamedSource): string {
  switch (origin.type) {
    case "file":
      return origin.file.name;
    case "checkpoint":
      return origin.id;
    case "url":
      return origin.url;
    case "hub":
      return origin.revision === undefined ? origin.hub : `${origin.hub} at ${origin.revision}`;
  }
}
