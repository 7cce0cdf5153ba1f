/**
 * Takes in a request that carries a document: the document alone, or with uploads as multipart.
 *
 * The document is checked before the first upload is read, and each upload's name when its part begins.
 *
 * @module
 */
import { parseDocument } from "../../core/merge/document.ts";
import { DEFAULT_LIMITS, limitProblem, type Limits } from "../../core/limits.ts";
import { nearest } from "../../core/merge/nearest.ts";
import type { UsedNames } from "../../core/merge/sources.ts";
import { Problem } from "../../core/problem.ts";
import type { UploadedSource } from "../../core/sources/open_sources.ts";
import type { BlobStore, BlobWriter } from "../../core/store/blobs.ts";
import { decodeText, readText } from "./body.ts";
import { readMultipart } from "./multipart.ts";
import type { UploadGate } from "./upload_gate.ts";

/** What a request with uploads is taken in with. */
export interface UploadPorts {
  readonly blobs: BlobStore;
  /** Limit of a request's uploads in bytes. */
  readonly maximumUpload: number;
  /** All limits; the defaults if absent. */
  readonly limits?: Limits;
  /** How bodies are received; without bounds if absent. */
  readonly gate?: UploadGate;
  /** Uploads of a request that need not be sent, as they are on this machine already; none if absent. */
  readonly present?: (request: Request) => ReadonlyMap<string, UploadedSource>;
}

/** How a resource's document is read. */
export interface DocumentFormat<Document> {
  /** Name of the part that holds the document. */
  readonly part: string;
  /** Checks the parsed document; throws what is wrong with it. */
  parse(document: unknown): Document;
  /** The source names that the document uses. */
  names(document: Document): UsedNames;
  /** Whether a file part that the document does not name may come all the same. */
  readonly admits?: (name: string, document: Document) => boolean;
  /** Is called once an upload begins, with how many bytes the request has at most, if it tells. */
  readonly onUpload?: (bytes: number) => void;
}

/** A document and what came with it. */
export interface ReadDocument<Document> {
  readonly document: Document;
  readonly uploads: ReadonlyMap<string, UploadedSource>;
}

const DOCUMENT_TYPES = ["application/json", "application/yaml", "multipart/form-data"];

/**
 * Reads document and uploads.
 *
 * @param writers Receives the writers of the uploads; the caller aborts them when it is done.
 * @throws {Problem} Whatever is wrong with document or uploads.
 */
export async function readDocumentRequest<Document>(
  ports: UploadPorts,
  request: Request,
  format: DocumentFormat<Document>,
  writers: BlobWriter[],
  signal: AbortSignal,
): Promise<ReadDocument<Document>> {
  const uploads = new Map<string, UploadedSource>();
  const { part } = format;
  const { limits = DEFAULT_LIMITS, gate } = ports;
  const parse = async (text: string, type: string) => {
    const parsed = format.parse(await parseDocument(text, type, limits));
    checkNames(format.names(parsed), part, limits);
    return parsed;
  };
  const checkUpload = (name: string, document: Document) => {
    const names = format.names(document);
    if (names.has(name) || format.admits?.(name, document)) return;
    throw strangePart(name, part, names, uploads);
  };
  const type = request.headers.get("content-type") ?? "";
  if (!type.toLowerCase().startsWith("multipart/form-data")) {
    const text = await readText(request, {
      maximum: limits.document,
      limit: "document",
      mediaTypes: DOCUMENT_TYPES,
      signal,
      gate,
    });
    const document = await parse(text, type);
    for (const [name, upload] of ports.present?.(request) ?? []) {
      checkUpload(name, document);
      uploads.set(name, upload);
    }
    if (uploads.size > 0) format.onUpload?.(Infinity);
    return { document, uploads };
  }
  let document: Document | undefined;
  format.onUpload?.(Number(request.headers.get("content-length") ?? Infinity));
  await readMultipart(request, {
    limits: {
      fieldBytes: limits.document,
      maximumBytes: ports.maximumUpload,
      parts: limits.parts,
      nameLength: limits.name,
    },
    signal,
    gate,
    async onField(name, text, contentType) {
      if (name !== part) throw unexpectedPart(name, `the only part that is not a file is ${part}`);
      document = await parse(text, contentType ?? guessType(text));
    },
    async onFile({ name, contentType }, chunks) {
      if (name === part && !document) {
        const text = await readPart(part, chunks, limits.document);
        document = await parse(text, documentType(contentType, text));
        return;
      }
      if (!document) throw unexpectedPart(name, `the first part must be ${part}`);
      checkUpload(name, document);
      const writer = await ports.blobs.create();
      writers.push(writer);
      for await (const chunk of chunks) await writer.write(chunk);
      uploads.set(name, await writer.seal());
    },
  });
  if (!document) {
    throw new Problem("invalid-request", `Cannot answer as the request has no part named ${part}`);
  }
  return { document, uploads };
}

/** Refuses documents that name too many sources, or too long ones. */
function checkNames(names: UsedNames, part: string, limits: Limits): void {
  if (names.size > limits.models) {
    const what = `the ${part}`;
    throw limitProblem("models", limits.models, what, "the number of its sources", names.size);
  }
  for (const name of names.keys()) {
    if (name.length > limits.name) {
      const has = "the length of a source's name";
      throw limitProblem("name", limits.name, `the ${part}`, has, name.length);
    }
  }
}

async function readPart(
  part: string,
  chunks: AsyncIterable<Uint8Array>,
  limit: number,
): Promise<string> {
  const bounded = async function* () {
    let bytes = 0;
    for await (const chunk of chunks) {
      bytes += chunk.length;
      if (bytes > limit) {
        throw limitProblem("document", limit, `the ${part}`, "its length", `more than ${limit}`);
      }
      yield chunk;
    }
  };
  return await decodeText(bounded(), `the ${part}`);
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
