/**
 * The operations of `/checkpoints`.
 *
 * @module
 */
import * as v from "valibot";
import { CheckpointPage, Manifest, TensorList } from "./answers/checkpoint.ts";
import { type Content, empty, json, type Operation } from "./operation.ts";
import {
  ADAPTER_CONFIG,
  BlobIdSchema,
  DIGEST_HEADERS,
  inPath,
  inQuery,
  RANGE_HEADERS,
} from "./parameters.ts";

const LIMIT = "an integer from 1 to 1000";
const AFTER = "an id, sha256: and 64 lower-case hexadecimal digits";
const ID = inPath("id", "SHA-256 of its bytes.", BlobIdSchema);
const LOCATION = { location: "Its address." };
/** Header fields of stored bytes. */
export const RANGED = {
  "etag": "The id.",
  "accept-ranges": "`bytes`",
  "repr-digest": "SHA-256 of the whole file.",
  "content-disposition": "A file name.",
};

/** What stored bytes may be. */
export const STORED: Readonly<Record<string, Content>> = {
  "application/octet-stream": { kind: "bytes" },
  "application/zip": { kind: "bytes" },
  "image/svg+xml": { kind: "bytes" },
  "text/csv": { kind: "bytes" },
};

/** The operations. */
export const CHECKPOINT_OPERATIONS: readonly Operation[] = [
  {
    id: "storeCheckpoint",
    method: "POST",
    path: "/checkpoints",
    tag: "Checkpoints",
    summary: "Stores a file",
    description: "A safetensors file, an ONNX model, a PEFT adapter, or a shard of data. It is " +
      "checked while it arrives; of one that is refused nothing is kept.",
    // Whoever may merge or tune must be able to store what is merged or tuned.
    scopes: ["merge", "tune"],
    parameters: [...DIGEST_HEADERS, ADAPTER_CONFIG],
    body: { kind: "bytes", description: "The bytes of one file." },
    answers: {
      200: json("The same content was stored before.", Manifest, LOCATION),
      201: json("It is stored.", Manifest, LOCATION),
    },
    problems: [
      "invalid-checkpoint",
      "unsupported-format",
      "unsupported-dtype",
      "unsupported-media-type",
      "insufficient-storage",
      "too-many",
      "conflict",
    ],
  },
  {
    id: "listCheckpoints",
    method: "GET",
    path: "/checkpoints",
    tag: "Checkpoints",
    summary: "Lists what is stored, by pages",
    scopes: ["read"],
    parameters: [
      inQuery(
        "limit",
        "How many at most; 100 by default.",
        v.pipe(
          v.number(LIMIT),
          v.safeInteger(LIMIT),
          v.minValue(1, LIMIT),
          v.maxValue(1000, LIMIT),
        ),
      ),
      inQuery(
        "after",
        "`next` of the page before; the first page without it.",
        v.union([v.literal("", AFTER), BlobIdSchema], AFTER),
      ),
    ],
    answers: { 200: json("One page, by ascending id.", CheckpointPage) },
  },
  {
    id: "listTensors",
    method: "GET",
    path: "/checkpoints/:id/tensors",
    tag: "Checkpoints",
    summary: "Lists the tensors of a stored file",
    scopes: ["read"],
    parameters: [ID],
    answers: { 200: json("Its tensors.", TensorList) },
    problems: ["not-found", "invalid-checkpoint", "unsupported-format", "unsupported-dtype"],
  },
  {
    id: "getCheckpoint",
    method: "GET",
    path: "/checkpoints/:id",
    tag: "Checkpoints",
    summary: "Answers a stored file, or ranges of it",
    // What a key has made it may follow and fetch; ids cannot be guessed. A coordinator of rounds needs no more
    // than `tune` at a participant.
    scopes: ["read", "merge", "tune"],
    head: true,
    parameters: [ID, ...RANGE_HEADERS],
    answers: {
      200: {
        description: "The whole file; results of jobs have other types than checkpoints.",
        content: STORED,
        headers: RANGED,
      },
      206: {
        description: "The ranges, of several each in a part.",
        content: { ...STORED, "multipart/byteranges": { kind: "bytes" } },
        headers: { ...RANGED, "content-range": "Of a single range: which bytes these are." },
      },
      304: empty("It has not changed, as it never does."),
    },
    problems: ["not-found", "precondition-failed", "range-not-satisfiable"],
  },
  {
    id: "deleteCheckpoint",
    method: "DELETE",
    path: "/checkpoints/:id",
    tag: "Checkpoints",
    summary: "Removes a stored file that nothing uses",
    scopes: ["admin"],
    parameters: [ID],
    answers: { 204: empty("It is gone.") },
    problems: ["not-found", "conflict"],
  },
];
