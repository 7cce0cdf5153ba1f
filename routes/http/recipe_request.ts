/**
 * Takes in a request that carries a recipe, opens its sources and plans the merge.
 *
 * Nothing is kept of a request that fails.
 *
 * @module
 */
import type { UseStore } from "idb-keyval";
import type { ChunkExecutor } from "../../core/engine/chunk_job.ts";
import { completeFactors } from "../../core/adapters/complete_factors.ts";
import { DEFAULT_LIMITS, limitProblem } from "../../core/limits.ts";
import type { MemoryBudget } from "../../core/memory_budget.ts";
import { type MergeOutput, mergeOutput } from "../../core/merge/merge_output.ts";
import { makePlan } from "../../core/merge/plan.ts";
import { putTargets } from "../../core/merge/put_targets.ts";
import type { Plan } from "../../core/merge/plan_types.ts";
import { parseRecipe, type Recipe, resolveSources, usedNames } from "../../core/merge/recipe.ts";
import { type MergeMethod, METHODS } from "../../core/methods/mod.ts";
import { isConfigPart } from "../../core/sources/adapter_source.ts";
import { sourceIdentity } from "../../core/sources/identity.ts";
import { openSources, type SourcePorts } from "../../core/sources/open_sources.ts";
import type { Problem } from "../../core/problem.ts";
import type { BlobWriter } from "../../core/store/blobs.ts";
import { inPhase } from "../../core/telemetry/phase.ts";
import { VERSION } from "../../core/version.ts";
import { readDocumentRequest, type UploadPorts } from "./document_request.ts";
import { requestAbort } from "./request_abort.ts";

/** What a recipe is carried out with. */
export interface RecipePorts extends UploadPorts {
  readonly records: UseStore;
  readonly sources: SourcePorts;
  readonly executor: ChunkExecutor;
  /** Elements per chunk, a multiple of 4096. */
  readonly chunkElements: number;
  /** Memory of all merges that run at once; not counted if absent. */
  readonly memory?: MemoryBudget;
}

/** A merge ready to run. */
export interface PreparedMerge {
  readonly recipe: Recipe;
  readonly plan: Plan;
  /** What the sources are, if that tells for certain; see {@linkcode sourceIdentity}. */
  readonly identity: string | undefined;
  /** The form of the answer. */
  readonly output: MergeOutput;
  /** Aborts everything that reads for this request; aborted when the client goes away. */
  readonly controller: AbortController;
  /**
   * Takes the memory that the plan needs until the release, as soon as it is free.
   *
   * @throws {Problem} `too-large` if it never can be free, `too-many` if it does not become so in time.
   */
  admit(): Promise<void>;
  /** Finds out what only the tensors tell: the ranks of adapters that are merged with each other. */
  complete(): Promise<CompleteMerge>;
  /** Closes sources and drops uploads; safe to call again. */
  release(): Promise<void>;
}

/** A merge whose tensors are all known. */
export type CompleteMerge = Omit<PreparedMerge, "complete">;

/** How a resource's document becomes a recipe. */
export interface DocumentReader {
  /** Name of the part that holds the document. */
  readonly part: string;
  readonly methods: ReadonlyMap<string, MergeMethod>;
  /** The document as a recipe's. */
  read(document: unknown): unknown;
}

const RECIPE: DocumentReader = { part: "recipe", methods: METHODS, read: (document) => document };

function tooLong(seconds: number): Problem {
  const has = "its time in seconds";
  return limitProblem("seconds", seconds, "the merge to its end", has, `more than ${seconds}`);
}

/** Float32 copies and encoded bytes of one chunk of one input, on all threads that work at once. */
const BYTES_PER_ELEMENT = 12;

/** Bytes of an upload whose tensors are all small, in most cases. */
const SMALL_UPLOAD = 4 << 20;

/**
 * Starts the engine while the upload arrives, which takes longer. Not for a few megabytes where small jobs need no
 * worker: to start two of them keeps this thread 50 ms, in the first request of a process.
 */
function warm(executor: RecipePorts["executor"], bytes: number): void {
  if (executor.small === undefined || bytes > SMALL_UPLOAD) executor.warm().catch(() => {});
}

/**
 * Reads the request and plans its merge.
 *
 * @throws {Problem} Whatever is wrong with document, uploads or sources; nothing stays behind.
 */
export async function prepareMerge(
  ports: RecipePorts,
  request: Request,
  reader: DocumentReader = RECIPE,
): Promise<PreparedMerge> {
  const controller = requestAbort(request);
  const { signal } = controller;
  const writers: BlobWriter[] = [];
  const closers: (() => void)[] = [];
  const release = async () => {
    for (const close of closers.splice(0)) close();
    await Promise.all(writers.splice(0).map((writer) => writer.abort()));
  };
  try {
    const { document: recipe, uploads } = await inPhase("receive", () =>
      readDocumentRequest(
        ports,
        request,
        {
          part: reader.part,
          parse: (document) => parseRecipe(reader.read(document), reader.methods),
          names: usedNames,
          admits: (name, document) => isConfigPart(name, usedNames(document)),
          onUpload: (bytes) => warm(ports.executor, bytes),
        },
        writers,
        signal,
      ));
    const names = usedNames(recipe);
    const parts = [...uploads.keys()].filter((part) => !isConfigPart(part, names));
    const specs = resolveSources(recipe, { uploads: parts });
    const opened = await openSources(specs, uploads, ports.sources, signal);
    for (const { checkpoint } of opened.values()) closers.push(() => checkpoint.close());
    const checkpoints = new Map([...opened].map(([name, source]) => [name, source.checkpoint]));
    const plan = await inPhase("plan", () =>
      makePlan({
        recipe,
        // A copy of a task vector onto its base runs as an average of one.
        methods: new Map([...METHODS, ...reader.methods]),
        checkpoints,
        inputs: new Map([...opened].map(([name, { provenance }]) => [name, provenance])),
        version: VERSION,
        chunkMemory: ports.chunkElements * BYTES_PER_ELEMENT * ports.executor.width,
      }));
    const output = await mergeOutput(plan, recipe, checkpoints, signal);
    // Refused with the plan, not after it.
    if (recipe.output?.put !== undefined) putTargets(recipe.output.put, output.files);
    const admit = async () => {
      const bytes = plan.peakMemory + output.memory;
      const free = await ports.memory?.take(bytes, "the merge", signal);
      if (free) closers.push(free);
      const { seconds } = ports.limits ?? DEFAULT_LIMITS;
      const timer = setTimeout(() => controller.abort(tooLong(seconds)), 1000 * seconds);
      closers.push(() => clearTimeout(timer));
    };
    const identity = sourceIdentity(opened);
    const prepared = { recipe, plan, identity, output, controller, admit, release };
    const complete = async () => {
      const { factors } = plan;
      if (factors === undefined) return prepared;
      const writer = await ports.blobs.create();
      writers.push(writer);
      const made = await completeFactors({ ...plan, factors }, writer, signal);
      return {
        ...prepared,
        plan: made,
        output: await mergeOutput(made, recipe, checkpoints, signal),
      };
    };
    return { ...prepared, complete };
  } catch (error) {
    controller.abort();
    await release();
    throw error;
  }
}
