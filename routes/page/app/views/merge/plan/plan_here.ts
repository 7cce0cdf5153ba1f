/**
 * Plans a merge in this page: headers of files and of kept checkpoints are read, nothing is sent. Loaded on first use.
 *
 * @module
 */
import { blobSource } from "../../../../../../core/checkpoint/blob_source.ts";
import { openHttpSource } from "../../../../../../core/checkpoint/http_source.ts";
import { mergeOutput } from "../../../../../../core/merge/merge_output.ts";
import { makePlan } from "../../../../../../core/merge/plan.ts";
import { type PlanDocument, planDocument } from "../../../../../../core/merge/plan_document.ts";
import { parseRecipe, resolveSources, usedNames } from "../../../../../../core/merge/recipe.ts";
import { METHODS } from "../../../../../../core/methods/mod.ts";
import { Problem } from "../../../../../../core/problem.ts";
import { isConfigPart } from "../../../../../../core/sources/adapter_source.ts";
import { openSources } from "../../../../../../core/sources/open_sources.ts";
import type { BlobId } from "../../../../../../core/store/blobs.ts";
import { VERSION } from "../../../../../../core/version.ts";
import { ProblemError } from "../../../service/problem.ts";
import type { Send } from "../../../service/service.ts";
import { problemDocument } from "../../../sources/problem_document.ts";

/** What is planned. */
export interface PlanRequest {
  readonly recipe: unknown;
  readonly files: ReadonlyMap<string, Blob>;
  /** Asked for the headers of kept checkpoints. */
  readonly send: Send;
  readonly signal: AbortSignal;
}

/** A digest as long as a real one: files are not read for a plan. */
const UNKNOWN: BlobId = `sha256:${"0".repeat(64)}`;
/** Bytes that the service's threads hold of each input: chunks of 256 Ki elements on about four threads. */
const CHUNK_MEMORY = 4 * 12 * 262_144;

/**
 * Plans a merge.
 *
 * @throws {ProblemError} What the service would have answered.
 */
export async function planHere(request: PlanRequest): Promise<PlanDocument> {
  const { files, send, signal } = request;
  try {
    const recipe = parseRecipe(request.recipe, METHODS);
    const names = usedNames(recipe);
    const uploads = [...files.keys()].filter((part) => !isConfigPart(part, names));
    const specs = resolveSources(recipe, { uploads });
    const sources = new Map(
      [...files].map(([name, file]) => [name, { source: blobSource(file), id: UNKNOWN }]),
    );
    const opened = await openSources(specs, sources, {
      openStored: (id) => openHttpSource(`http://service/checkpoints/${id}`, { fetch, signal }),
      fetch: refuse,
    }, signal);
    try {
      const checkpoints = new Map([...opened].map(([name, { checkpoint }]) => [name, checkpoint]));
      const plan = makePlan({
        recipe,
        methods: METHODS,
        checkpoints,
        inputs: new Map([...opened].map(([name, { provenance }]) => [name, provenance])),
        version: VERSION,
        chunkMemory: CHUNK_MEMORY,
      });
      const output = await mergeOutput(plan, recipe, checkpoints, signal);
      return planDocument({
        ...plan,
        bytesOut: output.byteLength,
        peakMemory: plan.peakMemory + output.memory,
        warnings: [...plan.warnings, ...output.warnings],
      });
    } finally {
      for (const { checkpoint } of opened.values()) checkpoint.close();
    }
  } catch (error) {
    if (error instanceof Problem) throw new ProblemError(problemDocument(error));
    throw error;
  }

  /** Ranges of kept checkpoints, asked for as everything else is. */
  async function fetch(url: string, init: RequestInit): Promise<Response> {
    const { pathname } = new URL(url);
    const headers = Object.fromEntries(new Headers(init.headers));
    return await send({ method: "GET", path: pathname, headers, signal: init.signal ?? signal });
  }
}

function refuse(): Promise<Response> {
  throw new Problem("forbidden-source", "Cannot read addresses in this page");
}
