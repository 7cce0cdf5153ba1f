/**
 * What the names of a document stand for: uploads, stored checkpoints, URLs, files, hubs.
 *
 * @module
 */
import * as v from "valibot";
import { isRelativePath } from "../checkpoint/relative_path.ts";
import { type Fault, Problem } from "../problem.ts";
import { headersFault } from "../sources/header_fields.ts";
import { isRepository, isRevision } from "../sources/hub.ts";
import type { BlobId } from "../store/blobs.ts";
import { invalidRecipe, joinPath, show } from "./faults.ts";
import { nearest } from "./nearest.ts";

/** What a source's numbers stand for, where the document says so. */
export type SourceKind = "weights" | "task_vector" | "adapter" | "statistics";

/** Where a source's bytes are. */
export type SourceSpec =
  & { readonly kind?: SourceKind }
  & (
    /** A file part of the request. */
    | { readonly type: "upload"; readonly part: string }
    | { readonly type: "checkpoint"; readonly id: BlobId }
    | {
      readonly type: "url";
      readonly url: string;
      readonly headers: Readonly<Record<string, string>>;
    }
    /** A file under the operator's folder. */
    | { readonly type: "path"; readonly path: string }
    | {
      readonly type: "hub";
      /** `org/name`. */
      readonly hub: string;
      readonly revision?: string;
      readonly file?: string;
      readonly headers: Readonly<Record<string, string>>;
    }
  );

const BLOB_ID = /^sha256:[0-9a-f]{64}$/;
const GIVEN = true;
const text = (expected: string) => v.pipe(v.string(expected), v.nonEmpty(expected));

const REPOSITORY = "a repository such as org/name";
const REVISION = "a branch, tag or commit";
const FILE = "a path inside the repository";

/** One entry of `sources`; exactly one of its first five keys stands. */
export const SourceEntrySchema = v.strictObject({
  upload: v.optional(v.literal(GIVEN, "true")),
  checkpoint: v.optional(
    v.pipe(v.string("an id"), v.regex(BLOB_ID, "sha256: and 64 lower-case hexadecimal digits")),
  ),
  url: v.optional(v.pipe(v.string("a URL"), v.check(isHttp, "an http or https URL"))),
  path: v.optional(text("a path")),
  hub: v.optional(v.pipe(v.string(REPOSITORY), v.check(isRepository, REPOSITORY))),
  revision: v.optional(v.pipe(v.string(REVISION), v.check(isRevision, REVISION))),
  file: v.optional(v.pipe(v.string(FILE), v.check(isRelativePath, FILE))),
  headers: v.optional(v.record(v.string(), v.string("a string"), "a map of strings")),
  kind: v.optional(
    v.picklist(
      ["weights", "task_vector", "adapter", "statistics"],
      '"weights", "task_vector", "adapter" or "statistics"',
    ),
  ),
}, "a map such as { upload: true } or { url: ... }");

/** One entry of `sources` as the document has it. */
export type SourceEntry = v.InferOutput<typeof SourceEntrySchema>;

/** The `sources` of a document. */
export type Sources = Readonly<Record<string, SourceEntry>>;

const PLACES = ["upload", "checkpoint", "url", "path", "hub"] as const;
/** Keys that only some places take. */
const BELONGING:
  readonly (readonly ["headers" | "revision" | "file", readonly ("url" | "hub")[]])[] = [
    ["headers", ["url", "hub"]],
    ["revision", ["hub"]],
    ["file", ["hub"]],
  ];

/** Faults of entries whose keys are each right but do not go together. */
export function checkSources(sources: Sources): Fault[] {
  const faults: Fault[] = [];
  for (const [name, entry] of Object.entries(sources)) {
    const path = joinPath("sources", name);
    const given = PLACES.filter((place) => entry[place] !== undefined);
    if (given.length !== 1) {
      faults.push({
        path,
        message: `Cannot use the source as exactly one of ${PLACES.join(", ")} must say where it ` +
          `is: current value is ${given.length === 0 ? "none" : given.join(", ")}`,
      });
    }
    const unsendable = headersFault(entry.headers ?? {}, path);
    if (unsendable) faults.push(unsendable);
    for (const [key, places] of BELONGING) {
      const value = entry[key];
      if (value === undefined || places.some((place) => entry[place] !== undefined)) continue;
      faults.push({
        path: joinPath(path, key),
        message: `Cannot use ${key} as only a ${places.join(" or ")} takes ${
          key === "headers" ? "them" : "it"
        }: current value is ${show(typeof value === "string" ? value : Object.keys(value))}`,
      });
    }
  }
  return faults;
}

/** Names that a document uses, each with the path where it first does. */
export type UsedNames = ReadonlyMap<string, string>;

/** What the request carries besides the document. */
export interface SourceParts {
  /** Names of the file parts. */
  readonly uploads: Iterable<string>;
}

/** mergekit's recipes name repositories of the hub; here a caller says so. */
function hubHint(name: string): string {
  return /^[\w.-]+\/[\w.-]+$/.test(name) && !name.startsWith(".")
    ? `; for a repository of the hub write { "hub": ${show(name)} } for it under sources`
    : "";
}

/**
 * Says for every used name where its bytes are. A name without entry stands for the upload part of that
 * name, or, if it is an id (`sha256:…`), for that stored checkpoint.
 *
 * @throws {Problem} With every fault in `errors`: `unknown-source` (and `nearest`) if names are unknown,
 * `invalid-recipe` if (also) an upload part has no use.
 */
export function bindSources(
  used: UsedNames,
  sources: Sources,
  { uploads }: SourceParts,
): ReadonlyMap<string, SourceSpec> {
  const parts = new Set(uploads);
  const specs = new Map<string, SourceSpec>();
  const unknown: Fault[] = [];
  const faults: Fault[] = [];
  const near: Record<string, string> = {};
  for (const [name, path] of used) {
    const entry = Object.hasOwn(sources, name) ? sources[name] : undefined;
    const spec = entry ? specOf(name, entry) : implied(name, parts);
    if (spec === undefined) {
      const found = nearest(name, [...Object.keys(sources), ...parts]);
      if (found !== undefined) near[name] = found;
      unknown.push({
        path,
        message: `Cannot find the source as it has neither an entry in sources nor an upload part` +
          `${found === undefined ? hubHint(name) : `, did you mean "${found}"`}: current value is ${
            show(name)
          }`,
      });
    } else if (spec.type === "upload" && !parts.has(name)) {
      unknown.push({
        path: joinPath("sources", name),
        message: `Cannot read the source as the request has no file part of its name: ` +
          `current value is ${show(name)}`,
      });
    } else specs.set(name, spec);
  }
  for (const part of parts) {
    const spec = specs.get(part);
    if (spec?.type === "upload") continue;
    faults.push({
      path: part,
      message: spec
        ? `Cannot use the file part as sources says that its name stands for a ${spec.type}: ` +
          `current value is ${show(part)}`
        : `Cannot use the file part as the document uses no source of its name` +
          `${suggestion(part, used, specs)}: current value is ${show(part)}`,
    });
  }
  const all = [...unknown, ...faults];
  if (unknown.length > 0 && faults.length === 0) {
    const more = unknown.length > 1 ? ` (and ${unknown.length - 1} more)` : "";
    throw new Problem("unknown-source", unknown[0]!.message + more, { errors: all, nearest: near });
  }
  if (all.length > 0) throw invalidRecipe(all);
  return specs;
}

function suggestion(part: string, used: UsedNames, found: ReadonlyMap<string, unknown>): string {
  const open = [...used.keys()].filter((name) => !found.has(name));
  const name = nearest(part, open);
  return name === undefined ? "" : `, did you mean "${name}"`;
}

function implied(name: string, parts: ReadonlySet<string>): SourceSpec | undefined {
  if (parts.has(name)) return { type: "upload", part: name };
  return isBlobId(name) ? { type: "checkpoint", id: name } : undefined;
}

function specOf(name: string, entry: SourceEntry): SourceSpec {
  const kind = entry.kind === undefined ? {} : { kind: entry.kind };
  if (entry.url !== undefined) {
    return { type: "url", url: entry.url, headers: entry.headers ?? {}, ...kind };
  }
  if (entry.hub !== undefined) {
    const { hub, revision, file, headers = {} } = entry;
    return {
      type: "hub",
      hub,
      headers,
      ...(revision === undefined ? {} : { revision }),
      ...(file === undefined ? {} : { file }),
      ...kind,
    };
  }
  if (entry.path !== undefined) return { type: "path", path: entry.path, ...kind };
  if (entry.checkpoint !== undefined && isBlobId(entry.checkpoint)) {
    return { type: "checkpoint", id: entry.checkpoint, ...kind };
  }
  return { type: "upload", part: name, ...kind };
}

function isBlobId(name: string): name is BlobId {
  return BLOB_ID.test(name);
}

function isHttp(url: string): boolean {
  return URL.canParse(url) && /^https?:$/.test(new URL(url).protocol);
}
