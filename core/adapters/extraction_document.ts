/**
 * The document of `POST /adapters` (API.md, section 4).
 *
 * @module
 */
import * as v from "valibot";
import { checkDocument } from "../merge/document_form.ts";
import { invalidRecipe, show } from "../merge/faults.ts";
import { checkSources, SourceEntrySchema, type Sources, type UsedNames } from "../merge/sources.ts";
import { type DType, dtypeNames, parseDType } from "../tensor/dtype.ts";
import type { Keep } from "./truncate.ts";

/** A checked document. */
export interface ExtractionDocument {
  /** A stored difference, or the model whose difference to the base is taken. */
  readonly from: { readonly vector: string } | { readonly base: string; readonly model: string };
  readonly keep: Keep;
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  /** Globs of weights that are embeddings: their factors have names and order of their own. */
  readonly embeddings: readonly string[];
  /** Whether the other matrices are stored `[in, out]`. */
  readonly fanInFanOut: boolean;
  readonly dtype: DType;
  readonly baseModel: string | null;
  readonly taskType: string | null;
  readonly sources: Sources;
}

const NAME = "a source's name without control characters";
const Name = v.pipe(v.string(NAME), v.regex(/^[^\p{Cc}]{1,1000}$/u, NAME));
const RANK = "an integer of at least 1";
const ENERGY = "a number in (0, 1]";
const DTYPES = dtypeNames("float").filter((name) =>
  ["F32", "F16", "BF16"].includes(parseDType(name)!)
);
const TYPE = '"float32", "float16" or "bfloat16"';
const Globs = v.array(v.pipe(v.string("a glob"), v.nonEmpty("a glob")), "a list of globs");
const TEXT = "a text of at most 1000 characters";
const Text = v.pipe(v.string(TEXT), v.maxLength(1000, TEXT));

/** The schema of the document. */
export const ExtractionSchema = v.strictObject({
  task_vector: v.optional(Name),
  base: v.optional(Name),
  model: v.optional(Name),
  rank: v.optional(v.pipe(v.number(RANK), v.safeInteger(RANK), v.minValue(1, RANK))),
  energy: v.optional(v.pipe(v.number(ENERGY), v.gtValue(0, ENERGY), v.maxValue(1, ENERGY))),
  include: v.optional(Globs, ["*"]),
  exclude: v.optional(Globs, []),
  embeddings: v.optional(Globs, ["*embed*", "*wte*", "*wpe*"]),
  fan_in_fan_out: v.optional(v.boolean("true or false"), false),
  out_dtype: v.optional(v.picklist(DTYPES, TYPE), "float32"),
  base_model_name_or_path: v.optional(Text),
  task_type: v.optional(Text),
  sources: v.optional(v.record(v.string(), SourceEntrySchema, "a map of sources"), {}),
}, "a map { task_vector, rank } or { base, model, rank }, with energy in place of rank");

/** The document as callers write it. */
export type ExtractionInput = v.InferInput<typeof ExtractionSchema>;

/** @throws {Problem} `invalid-recipe` with every fault. */
export function parseExtraction(document: unknown): ExtractionDocument {
  const { output, faults } = checkDocument(
    { schema: ExtractionSchema, noun: "the request" },
    document,
  );
  const all = [...faults];
  if (output) {
    const { task_vector, base, model, rank, energy, sources } = output;
    all.push(...checkSources(sources));
    const given = Object.entries({ task_vector, base, model }).flatMap(([key, value]) =>
      value === undefined ? [] : [key]
    );
    const from = task_vector !== undefined && given.length === 1
      ? { vector: task_vector }
      : base !== undefined && model !== undefined && given.length === 2
      ? { base, model }
      : undefined;
    if (from === undefined) {
      all.push({
        path: "",
        message:
          `Cannot extract an adapter as either task_vector or base and model must be given: ` +
          `current value is ${given.length === 0 ? "none" : given.join(", ")}`,
      });
    }
    if ((rank === undefined) === (energy === undefined)) {
      all.push({
        path: rank === undefined ? "rank" : "energy",
        message: `Cannot extract an adapter as exactly one of rank and energy must be given: ` +
          `current value is ${rank === undefined ? "none" : show({ rank, energy })}`,
      });
    }
    if (from !== undefined && all.length === 0) {
      return {
        from,
        keep: rank === undefined ? { energy: energy! } : { rank },
        include: output.include,
        exclude: output.exclude,
        embeddings: output.embeddings,
        fanInFanOut: output.fan_in_fan_out,
        dtype: parseDType(output.out_dtype)!,
        baseModel: output.base_model_name_or_path ?? null,
        taskType: output.task_type ?? null,
        sources,
      };
    }
  }
  throw invalidRecipe(all);
}

/** The names of the sources that the document uses. */
export function extractionSources({ from }: ExtractionDocument): UsedNames {
  return new Map(
    "vector" in from
      ? [[from.vector, "task_vector"]]
      : [[from.base, "base"], [from.model, "model"]],
  );
}
