/**
 * The operations of merging: `/merge`, `/plan`, `/merges/{id}/report`, `/analyze`, `/task-vectors`, `/adapters`.
 *
 * @module
 */
import * as v from "valibot";
import { ExtractionSchema } from "../../core/adapters/extraction_document.ts";
import { AnalysisSchema } from "../../core/analysis/document.ts";
import { PICTURE_NAMES } from "../../core/analysis/picture/names.ts";
import { RecipeSchema } from "../../core/merge/recipe_schema.ts";
import { TaskVectorSchema } from "../../core/merge/task_vector_document.ts";
import { AnalysisAnswer } from "./answers/analysis.ts";
import { Manifest } from "./answers/checkpoint.ts";
import { Extraction, ExtractionEvent } from "./answers/extraction.ts";
import { AcceptedJob } from "./answers/job.ts";
import { MergeReport, PlanAnswer, PutResult } from "./answers/merge.ts";
import { json, type Operation } from "./operation.ts";
import { inPath, inQuery, JOB_HEADERS } from "./parameters.ts";
import { DOCUMENT_PROBLEMS, MERGE_PROBLEMS } from "./problem_sets.ts";

/** The answer to `Prefer: respond-async`. */
export const ACCEPTED = json("A job does it.", AcceptedJob, {
  "location": "The job's address.",
  "preference-applied": "`respond-async`",
});

const PICTURE = `one of ${PICTURE_NAMES.join(", ")}`;
const REPORT = "The address of the report, `rel=describedby`.";
const FILE = { kind: "bytes" } as const;

/** The operations. */
export const MERGE_OPERATIONS: readonly Operation[] = [
  {
    id: "merge",
    method: "POST",
    path: "/merge",
    tag: "Merge",
    summary: "Merges checkpoints and streams the result",
    description: "The file is made while it is sent, in constant memory. A failure after the " +
      "first byte ends the connection abnormally, and the report says why. With `output.put` the " +
      "result is sent there, and what was sent is answered as JSON.",
    scopes: ["merge"],
    long: true,
    parameters: JOB_HEADERS,
    body: { kind: "document", part: "recipe", schema: RecipeSchema },
    answers: {
      200: {
        description: "The result: a safetensors file, an ONNX model, or an archive of files.",
        content: {
          "application/octet-stream": FILE,
          "application/zip": FILE,
          "application/json": { kind: "json", schema: PutResult },
        },
        headers: {
          "content-length": "The exact length, known before the first byte.",
          "content-disposition": "A file name.",
          "link": REPORT,
        },
      },
      202: ACCEPTED,
    },
    problems: [...MERGE_PROBLEMS, "conflict"],
  },
  {
    id: "plan",
    method: "POST",
    path: "/plan",
    tag: "Merge",
    summary: "Tells what a merge would do, tensor by tensor",
    scopes: ["merge"],
    body: { kind: "document", part: "recipe", schema: RecipeSchema },
    answers: { 200: json("The plan.", PlanAnswer) },
    problems: MERGE_PROBLEMS,
  },
  {
    id: "getMergeReport",
    method: "GET",
    path: "/merges/:id/report",
    tag: "Merge",
    summary: "Tells what a merge did, tensor by tensor",
    scopes: ["read", "merge"],
    parameters: [inPath("id", "From the `Link` of the merge's answer.")],
    answers: { 200: json("The report.", MergeReport) },
    problems: ["not-found"],
  },
  {
    id: "analyze",
    method: "POST",
    path: "/analyze",
    tag: "Merge",
    summary: "Measures what models do to each other",
    description: "Takes a recipe as `/merge` does; keys that only a merge uses are ignored.",
    scopes: ["merge"],
    long: true,
    parameters: [
      inQuery(
        "picture",
        "Which picture `image/svg+xml` shows; `overview` by default.",
        v.picklist(PICTURE_NAMES, PICTURE),
      ),
      ...JOB_HEADERS,
    ],
    body: { kind: "document", part: "recipe", schema: AnalysisSchema },
    answers: {
      200: {
        description: "Norms, cosines, sign agreement, conflict, histograms and quantiles.",
        content: {
          "application/json": { kind: "json", schema: AnalysisAnswer },
          "image/svg+xml": { kind: "text" },
          "text/csv": { kind: "text" },
        },
      },
      202: ACCEPTED,
    },
    problems: [...MERGE_PROBLEMS, "not-acceptable", "conflict"],
  },
  {
    id: "makeTaskVector",
    method: "POST",
    path: "/task-vectors",
    tag: "Merge",
    summary: "Stores a model minus its base",
    scopes: ["merge"],
    long: true,
    parameters: JOB_HEADERS,
    body: { kind: "document", part: "request", schema: TaskVectorSchema },
    answers: {
      200: json("It was stored before.", Manifest, { location: "Its address." }),
      201: json("The stored task vector.", Manifest, { location: "Its address." }),
      202: ACCEPTED,
    },
    problems: [...MERGE_PROBLEMS, "conflict"],
  },
  {
    id: "extractAdapter",
    method: "POST",
    path: "/adapters",
    tag: "Merge",
    summary: "Extracts a LoRA adapter from a task vector, and stores it",
    scopes: ["merge"],
    long: true,
    parameters: JOB_HEADERS,
    body: { kind: "document", part: "request", schema: ExtractionSchema },
    answers: {
      200: {
        description: "Events while it works, or the answer of an earlier call with the same key.",
        content: {
          "application/json": { kind: "json", schema: Extraction },
          "application/x-ndjson": { kind: "events", schema: ExtractionEvent },
          "text/event-stream": { kind: "events", schema: ExtractionEvent },
        },
      },
      201: json("What was extracted, and what is lost.", Extraction, { location: "Its address." }),
      202: ACCEPTED,
    },
    problems: [...DOCUMENT_PROBLEMS, "non-finite", "conflict"],
  },
];
