/**
 * Parameters that several operations take.
 *
 * @module
 */
import * as v from "valibot";
import type { Parameter } from "./operation.ts";

/** An id of stored bytes. */
export const BlobIdSchema = v.pipe(
  v.string("an id"),
  v.regex(/^sha256:[0-9a-f]{64}$/, "sha256: and 64 lower-case hexadecimal digits"),
);

function header(name: string, description: string, schema: v.GenericSchema = v.string()) {
  return { name, in: "header", description, schema } satisfies Parameter;
}

/** A part of the path. */
export function inPath(
  name: string,
  description: string,
  schema: v.GenericSchema = v.string(),
): Parameter {
  return { name, in: "path", description, schema };
}

/** A checked parameter of the query. */
export function inQuery(name: string, description: string, schema: v.GenericSchema): Parameter {
  return { name, in: "query", description, schema, checked: true };
}

const KEY = "1 to 255 printable ASCII characters";

/** How a long call may become a job, and the same request be sent again. */
export const JOB_HEADERS: readonly Parameter[] = [
  header(
    "prefer",
    "`respond-async` answers 202 with the address of a job at once; the result stands in the job.",
  ),
  {
    name: "idempotency-key",
    in: "header",
    description: "The same request with the same key is done once, and answered again with what " +
      "came of it.",
    schema: v.pipe(v.string(KEY), v.regex(/^[\x21-\x7e ]{1,255}$/, KEY)),
    checked: true,
  },
];

/** Ranges and preconditions. */
export const RANGE_HEADERS: readonly Parameter[] = [
  header("range", "Bytes such as `bytes=0-99` or `bytes=0-99,-100`, at most 16 ranges."),
  header("if-range", "The entity tag that Range holds for; with another one all is answered."),
  header("if-match", "Entity tags; answers 412 if none of them is the present one."),
  header("if-none-match", "Entity tags; answers 304 if one of them is the present one."),
];

/** A precondition that saves the answer. */
export const IF_NONE_MATCH: Parameter = header(
  "if-none-match",
  "Entity tags; answers 304 if one of them is the present one.",
);

/** The digest of what is sent. */
export const DIGEST_HEADERS: readonly Parameter[] = [
  header("content-digest", "`sha-256=:BASE64:` of the body, which is checked (RFC 9530)."),
  header("repr-digest", "The same as content-digest, as nothing is encoded."),
];

/** The configuration of an adapter. */
export const ADAPTER_CONFIG: Parameter = header(
  "adapter-config",
  "The text of a PEFT adapter's `adapter_config.json`, which is kept beside it.",
);

/** Where a reader of events left off. */
export const LAST_EVENT_ID: Parameter = header(
  "last-event-id",
  "The id of the last event that was read; only later ones are sent.",
);
