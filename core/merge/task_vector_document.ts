/**
 * The document of `POST /task-vectors` (API.md, section 3).
 *
 * @module
 */
import * as v from "valibot";
import { parseDType } from "../tensor/dtype.ts";
import { SourceEntrySchema } from "./sources.ts";

const NAME = "a source's name";
const Name = v.pipe(v.string(NAME), v.nonEmpty(NAME));

/** The schema of the document. */
export const TaskVectorSchema = v.strictObject({
  base: Name,
  model: Name,
  sources: v.optional(v.record(v.string(), SourceEntrySchema), {}),
  negate: v.optional(v.boolean("true or false"), false),
  out_dtype: v.optional(
    v.pipe(v.string("a dtype"), v.check((name) => parseDType(name) !== undefined, "a dtype")),
    "float32",
  ),
});

/** The document as callers write it. */
export type TaskVectorInput = v.InferInput<typeof TaskVectorSchema>;
