/**
 * Every limit of the service as one table: what it bounds, its environment variable, its default and what
 * a request beyond it is answered. Configuration, checks, problem documents and documentation are made from it.
 *
 * @module
 */
import { Problem, type ProblemKind } from "./problem.ts";

/** How a limit is counted, and how its variable is written: bytes take suffixes such as 512M or 64G. */
export type LimitUnit =
  | "bytes"
  | "bytes per second"
  | "characters"
  | "levels"
  | "values"
  | "parts"
  | "tensors"
  | "models"
  | "requests"
  | "seconds";

/** One limit. */
export interface LimitInfo {
  /** Environment variable that sets it. */
  readonly variable: string;
  readonly unit: LimitUnit;
  readonly fallback: number;
  /** The least and the greatest value that the variable may have. */
  readonly minimum: number;
  readonly maximum: number;
  /** What it bounds, for the documentation. */
  readonly bounds: string;
  /** What a request beyond it is answered. */
  readonly problem: ProblemKind;
}

const [KIB, MIB, GIB, TIB] = [2 ** 10, 2 ** 20, 2 ** 30, 2 ** 40];

/** The limits that a request or the service as a whole is held to. */
export const LIMITS = {
  upload: {
    variable: "AMALGAM_MAX_UPLOAD",
    unit: "bytes",
    fallback: 64 * GIB,
    minimum: 1,
    maximum: Number.MAX_SAFE_INTEGER,
    bounds: "The body of a request, and each answer that is read whole from another server.",
    problem: "too-large",
  },
  uploads: {
    variable: "AMALGAM_MAX_UPLOADS",
    unit: "requests",
    fallback: 256,
    minimum: 1,
    maximum: 65_536,
    bounds: "Request bodies that are received at once.",
    problem: "too-many",
  },
  uploadStall: {
    variable: "AMALGAM_UPLOAD_STALL",
    unit: "seconds",
    fallback: 60,
    minimum: 1,
    maximum: 3600,
    bounds: "Time without a byte of a request body that is being received.",
    problem: "invalid-request",
  },
  uploadRate: {
    variable: "AMALGAM_UPLOAD_RATE",
    unit: "bytes per second",
    fallback: KIB,
    minimum: 1,
    maximum: GIB,
    bounds: "The least speed of a request body, on average since it began, once the time of " +
      "AMALGAM_UPLOAD_STALL has passed.",
    problem: "invalid-request",
  },
  readerStall: {
    variable: "AMALGAM_READER_STALL",
    unit: "seconds",
    fallback: 60,
    minimum: 1,
    maximum: 3600,
    bounds:
      "Time in which a client must take the next piece of a streamed answer; larger pieces have " +
      "the time that AMALGAM_READER_RATE gives them.",
    problem: "unavailable",
  },
  readerRate: {
    variable: "AMALGAM_READER_RATE",
    unit: "bytes per second",
    fallback: 8 * KIB,
    minimum: 1,
    maximum: GIB,
    bounds: "The least speed at which a client must take a piece of a streamed answer.",
    problem: "unavailable",
  },
  sourceStall: {
    variable: "AMALGAM_SOURCE_STALL",
    unit: "seconds",
    fallback: 30,
    minimum: 1,
    maximum: 3600,
    bounds: "Time without a byte of an answer of another server: connect, first byte, next byte.",
    problem: "upstream",
  },
  sourceHeaders: {
    variable: "AMALGAM_SOURCE_HEADERS",
    unit: "bytes",
    fallback: 64 * KIB,
    minimum: KIB,
    maximum: MIB,
    bounds: "The header fields of an answer of another server.",
    problem: "upstream",
  },
  requestHeaders: {
    variable: "AMALGAM_MAX_HEADERS",
    unit: "bytes",
    fallback: 32 * KIB,
    minimum: KIB,
    maximum: 256 * KIB,
    bounds: "The address and the header fields of a request.",
    problem: "too-large",
  },
  header: {
    variable: "AMALGAM_MAX_HEADER",
    unit: "bytes",
    fallback: 100_000_000,
    minimum: KIB,
    maximum: 100_000_000,
    bounds: "The header of a safetensors file.",
    problem: "too-large",
  },
  tensors: {
    variable: "AMALGAM_MAX_TENSORS",
    unit: "tensors",
    fallback: 1_000_000,
    minimum: 1,
    maximum: 100_000_000,
    bounds: "Tensors of one checkpoint.",
    problem: "too-large",
  },
  name: {
    variable: "AMALGAM_MAX_NAME",
    unit: "characters",
    fallback: 4096,
    minimum: 16,
    maximum: MIB,
    bounds: "The name of a tensor, of a source and of a part.",
    problem: "too-large",
  },
  models: {
    variable: "AMALGAM_MAX_MODELS",
    unit: "models",
    fallback: 256,
    minimum: 2,
    maximum: 65_536,
    bounds: "Sources that one document may name.",
    problem: "too-large",
  },
  document: {
    variable: "AMALGAM_MAX_DOCUMENT",
    unit: "bytes",
    fallback: 262_144,
    minimum: KIB,
    maximum: 64 * MIB,
    bounds: "The JSON or YAML document of a request.",
    problem: "too-large",
  },
  depth: {
    variable: "AMALGAM_MAX_DEPTH",
    unit: "levels",
    fallback: 64,
    minimum: 8,
    maximum: 256,
    bounds: "Levels of lists and maps of a document.",
    problem: "too-large",
  },
  values: {
    variable: "AMALGAM_MAX_VALUES",
    unit: "values",
    fallback: 100_000,
    minimum: 100,
    maximum: 10_000_000,
    bounds: "Values of a document, aliases expanded.",
    problem: "too-large",
  },
  parts: {
    variable: "AMALGAM_MAX_PARTS",
    unit: "parts",
    fallback: 256,
    minimum: 1,
    maximum: 65_536,
    bounds: "Parts of a multipart body.",
    problem: "too-large",
  },
  running: {
    variable: "AMALGAM_MAX_RUNNING",
    unit: "requests",
    fallback: 8,
    minimum: 1,
    maximum: 65_536,
    bounds: "Long calls and jobs that run at once; further ones wait in turn, caller by caller. " +
      "By default at least twice the number of engine threads.",
    problem: "too-many",
  },
  jobs: {
    variable: "AMALGAM_MAX_JOBS",
    unit: "requests",
    fallback: 1000,
    minimum: 1,
    maximum: 1_000_000,
    bounds: "Long calls and jobs that wait for those that run.",
    problem: "too-many",
  },
  seconds: {
    variable: "AMALGAM_MAX_SECONDS",
    unit: "seconds",
    fallback: 86_400,
    minimum: 1,
    maximum: 2_592_000,
    bounds: "Time that one job, or the merge of one request, may take.",
    problem: "too-large",
  },
  retention: {
    variable: "AMALGAM_RETENTION",
    unit: "seconds",
    fallback: 86_400,
    minimum: 1,
    maximum: 31_536_000,
    bounds: "Time that ended jobs and idempotency keys are kept.",
    problem: "not-found",
  },
  grace: {
    variable: "AMALGAM_GRACE",
    unit: "seconds",
    fallback: 10,
    minimum: 0,
    maximum: 3600,
    bounds: "Time that running requests have to end once the service was told to stop.",
    problem: "unavailable",
  },
  memory: {
    variable: "AMALGAM_MEMORY",
    unit: "bytes",
    fallback: 512 * MIB,
    minimum: MIB,
    maximum: 64 * TIB,
    bounds:
      "Memory of all merges that run at once, by their plans' peak_memory; what does not fit " +
      "waits. The store has the same limit where it is kept in memory.",
    problem: "too-large",
  },
  memoryWait: {
    variable: "AMALGAM_MEMORY_WAIT",
    unit: "seconds",
    fallback: 600,
    minimum: 1,
    maximum: 86_400,
    bounds: "Time that work waits for memory that other work holds.",
    problem: "too-many",
  },
} as const satisfies Record<string, LimitInfo>;

/** Name of a limit in the program. */
export type LimitName = keyof typeof LIMITS;

/** A value for each limit. */
export type Limits = Readonly<Record<LimitName, number>>;

/** What holds where the operator says nothing. */
export const DEFAULT_LIMITS: Limits = Object.fromEntries(
  Object.entries(LIMITS).map(([name, { fallback }]) => [name, fallback]),
) as Record<LimitName, number>;

/**
 * The problem of something beyond a limit; it names the limit, its variable and its value.
 *
 * @param what What is too large, such as `the header`.
 * @param has What of it counts, such as `its length in bytes`.
 * @param value The current value, or a text such as `more than 5`.
 */
export function limitProblem(
  name: LimitName,
  limit: number,
  what: string,
  has: string,
  value: number | string,
): Problem {
  const { variable, problem } = LIMITS[name];
  return new Problem(
    problem,
    `Cannot take ${what} as ${has} must be at most ${limit} (${variable}): current value is ${value}`,
    { limit, variable, ...(typeof value === "number" ? { value } : {}) },
  );
}
