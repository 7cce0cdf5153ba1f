/**
 * The document of `POST /task-vectors` (API.md, section 3).
 *
 * @module
 */
import * as v from "valibot";
import { dtypeNames } from "../tensor/dtype.ts";
import { SourceEntrySchema } from "./sources.ts";

const NAME = "a source's name";
const DTYPES = dtypeNames("float", "integer", "boolean");
const Name = v.pipe(v.string(NAME), v.nonEmpty(NAME));

/** The schema of the document. */
export const TaskVectorSchema = v.strictObject({
  base: Name,
  model: Name,
  sources: v.optional(v.record(v.string(), SourceEntrySchema), {}),
  negate: v.optional(v.boolean("true or false"), false),
  out_dtype: v.optional(v.picklist(DTYPES, "a dtype"), "float32"),
});

/** The document as callers write it. */
export type TaskVectorInput = v.InferInput<typeof TaskVectorSchema>;
