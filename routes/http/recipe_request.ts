/**
 * Takes in a request that carries a recipe: the document alone, or with uploads as multipart.
 *
 * The recipe is checked before the first upload is read, each upload's name when its part begins, and its
 * header when the part has ended; nothing is kept of a request that fails.
 *
 * @module
 */
import type { UseStore } from "idb-keyval";
import type { ChunkExecutor } from "../../core/engine/chunk_job.ts";
import { parseDocument } from "../../core/merge/document.ts";
import { nearest } from "../../core/merge/nearest.ts";
import { makePlan } from "../../core/merge/plan.ts";
import type { Plan } from "../../core/merge/plan_types.ts";
import { parseRecipe, type Recipe, resolveSources, usedNames } from "../../core/merge/recipe.ts";
import { type MergeMethod, METHODS } from "../../core/methods/mod.ts";
import { Problem } from "../../core/problem.ts";
import {
  openSources,
  type SourcePorts,
  type UploadedSource,
} from "../../core/sources/open_sources.ts";
import type { BlobStore, BlobWriter } from "../../core/store/blobs.ts";
import { VERSION } from "../../core/version.ts";
import { readText } from "./body.ts";
import { readMultipart } from "./multipart.ts";

/** What a recipe is carried out with. */
export interface RecipePorts {
  readonly blobs: BlobStore;
  readonly records: UseStore;
  readonly sources: SourcePorts;
  readonly executor: ChunkExecutor;
  /** Elements per chunk, a multiple of 4096. */
  readonly chunkElements: number;
  /** Limit of a request's uploads in bytes. */
  readonly maximumUpload: number;
}

/** A merge ready to run. */
export interface PreparedMerge {
  readonly recipe: Recipe;
  readonly plan: Plan;
  /** Aborts everything that reads for this request; aborted when the client goes away. */
  readonly controller: AbortController;
  /** Closes sources and drops uploads; safe to call again. */
  release(): Promise<void>;
}

/** How a resource's document becomes a recipe. */
export interface DocumentReader {
  /** Name of the part that holds the document. */
  readonly part: string;
  readonly methods: ReadonlyMap<string, MergeMethod>;
  /** The document as a recipe's. */
  read(document: unknown): unknown;
}

const RECIPE: DocumentReader = { part: "recipe", methods: METHODS, read: (document) => document };

const DOCUMENT_LIMIT = 1 << 20;
const DOCUMENT_TYPES = ["application/json", "application/yaml", "multipart/form-data"];
/** Float32 copies and encoded bytes of one chunk of one input, on all threads that work at once. */
const BYTES_PER_ELEMENT = 12;

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
  const controller = new AbortController();
  const { signal } = controller;
  // Deno also aborts the request's signal after a full answer; by then there is nothing left to abort.
  request.signal.addEventListener("abort", () => controller.abort(request.signal.reason));
  const writers: BlobWriter[] = [];
  const closers: (() => void)[] = [];
  const release = async () => {
    for (const close of closers.splice(0)) close();
    await Promise.all(writers.splice(0).map((writer) => writer.abort()));
  };
  try {
    const { recipe, uploads } = await readRequest(ports, request, reader, writers, signal);
    const specs = resolveSources(recipe, { uploads: uploads.keys() });
    const opened = await openSources(specs, uploads, ports.sources, signal);
    for (const { checkpoint } of opened.values()) closers.push(() => checkpoint.close());
    const plan = makePlan({
      recipe,
      // A copy of a task vector onto its base runs as an average of one.
      methods: new Map([...METHODS, ...reader.methods]),
      checkpoints: new Map([...opened].map(([name, { checkpoint }]) => [name, checkpoint])),
      inputs: new Map([...opened].map(([name, { provenance }]) => [name, provenance])),
      version: VERSION,
      chunkMemory: ports.chunkElements * BYTES_PER_ELEMENT * ports.executor.width,
    });
    return { recipe, plan, controller, release };
  } catch (error) {
    controller.abort();
    await release();
    throw error;
  }
}

interface ReadRequest {
  readonly recipe: Recipe;
  readonly uploads: ReadonlyMap<string, UploadedSource>;
}

async function readRequest(
  ports: RecipePorts,
  request: Request,
  reader: DocumentReader,
  writers: BlobWriter[],
  signal: AbortSignal,
): Promise<ReadRequest> {
  const uploads = new Map<string, UploadedSource>();
  const { part } = reader;
  const parse = (text: string, type: string) =>
    parseRecipe(reader.read(parseDocument(text, type)), reader.methods);
  const type = request.headers.get("content-type") ?? "";
  if (!type.toLowerCase().startsWith("multipart/form-data")) {
    const text = await readText(request, {
      maximum: DOCUMENT_LIMIT,
      mediaTypes: DOCUMENT_TYPES,
      signal,
    });
    return { recipe: parse(text, type), uploads };
  }
  let recipe: Recipe | undefined;
  // The engine takes half a second to load; an upload takes longer.
  ports.executor.warm().catch(() => {});
  await readMultipart(request, {
    limits: { fieldBytes: DOCUMENT_LIMIT, maximumBytes: ports.maximumUpload },
    signal,
    onField(name, text, contentType) {
      if (name !== part) throw unexpectedPart(name, `the only part that is not a file is ${part}`);
      recipe = parse(text, contentType ?? guessType(text));
    },
    async onFile({ name, contentType }, chunks) {
      if (name === part && !recipe) {
        const text = await readPart(chunks);
        recipe = parse(text, documentType(contentType, text));
        return;
      }
      if (!recipe) throw unexpectedPart(name, `the first part must be ${part}`);
      const names = usedNames(recipe);
      if (!names.has(name)) {
        throw strangePart(name, part, names, uploads);
      }
      const writer = await ports.blobs.create();
      writers.push(writer);
      for await (const chunk of chunks) await writer.write(chunk);
      uploads.set(name, await writer.seal());
    },
  });
  if (!recipe) {
    throw new Problem("invalid-request", `Cannot merge as the request has no part named ${part}`);
  }
  return { recipe, uploads };
}

async function readPart(chunks: AsyncIterable<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let text = "";
  for await (const chunk of chunks) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > DOCUMENT_LIMIT) {
      throw new Problem(
        "too-large",
        `Cannot read the recipe as its length must be at most ${DOCUMENT_LIMIT}: ` +
          `current value is more than ${DOCUMENT_LIMIT}`,
        { limit: DOCUMENT_LIMIT },
      );
    }
  }
  return text + decoder.decode();
}

/** A file part named recipe (`-F recipe=@merge.yaml`) often comes as application/octet-stream. */
function documentType(type: string | undefined, text: string): string {
  return type === undefined || /octet-stream|text\/plain/.test(type) ? guessType(text) : type;
}

function guessType(text: string): string {
  return /^\s*\{/.test(text) ? "application/json" : "application/yaml";
}

/** A file part that the document does not name: either it, or the document, misspells the name. */
function strangePart(
  name: string,
  part: string,
  names: ReadonlyMap<string, string>,
  uploads: ReadonlyMap<string, UploadedSource>,
): Problem {
  const meant = nearest(name, [...names.keys()].filter((used) => !uploads.has(used)));
  if (meant === undefined) return unexpectedPart(name, `the ${part} names no such source`);
  const message = `Cannot find the source as the request has no file part of its name, ` +
    `did you mean "${name}": current value is "${meant}"`;
  return new Problem("unknown-source", message, {
    errors: [{ path: names.get(meant)!, message }],
    nearest: { [meant]: name },
  });
}

function unexpectedPart(name: string, reason: string): Problem {
  return new Problem(
    "invalid-request",
    `Cannot use the part as ${reason}: current value is "${name}"`,
    { part: name },
  );
}
