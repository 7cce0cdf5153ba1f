/**
 * Reads `multipart/form-data` as a stream: parts in order, with back-pressure, never buffered.
 *
 * @module
 */
import { Problem } from "../../core/problem.ts";
import { multipartParser, type PartEvent, type PartHeaders } from "./multipart_parser.ts";

/** Limits of a multipart body. */
export interface MultipartLimits {
  /** Number of parts; 256. */
  readonly parts?: number;
  /** Bytes of one part's header lines; 16 KiB. */
  readonly headerBytes?: number;
  /** Bytes of one part that is not a file; 1 MiB. */
  readonly fieldBytes?: number;
  /** Bytes of the whole body. */
  readonly maximumBytes: number;
}

/** What is known of a file part. */
export interface FilePart {
  readonly name: string;
  readonly filename?: string;
  readonly contentType?: string;
}

/** How parts are taken. */
export interface MultipartOptions {
  readonly limits: MultipartLimits;
  readonly signal?: AbortSignal;
  /** Takes a part that is not a file. */
  onField(name: string, text: string, contentType: string | undefined): void | Promise<void>;
  /**
   * Takes a file part. Its chunks are read from the body as they are asked for; they throw if the body
   * ends before the part does. What is left when it returns is skipped.
   */
  onFile(part: FilePart, chunks: AsyncIterable<Uint8Array>): Promise<void>;
}

/**
 * Reads all parts, strictly in order.
 *
 * @throws {Problem} `unsupported-media-type`, `invalid-request` (malformed, ends early, repeated name),
 * `too-large`; and whatever the callbacks throw.
 */
export async function readMultipart(request: Request, options: MultipartOptions): Promise<void> {
  const { limits, signal } = options;
  const { parts = 256, headerBytes = 16384, fieldBytes = 1 << 20, maximumBytes } = limits;
  const announced = Number(request.headers.get("content-length") ?? 0);
  if (announced > maximumBytes) throw tooLarge("the body", "bytes", maximumBytes, announced);
  const events = partEvents(request, maximumBytes, headerBytes, signal);
  const names = new Set<string>();
  for (;;) {
    const { done, value } = await events.next();
    if (done) return;
    if (value.type !== "begin") throw new Error("The multipart parser lost its place");
    const part = partOf(value.headers);
    if (names.has(part.name)) {
      throw new Problem(
        "invalid-request",
        `Cannot read the multipart body as two parts have one name: current value is "${part.name}"`,
        { part: part.name },
      );
    }
    names.add(part.name);
    if (names.size > parts) throw tooLarge("the body", "parts", parts, names.size);
    const data = partData(events);
    if (part.filename === undefined) {
      const text = await fieldText(part.name, data, fieldBytes);
      await options.onField(part.name, text, part.contentType);
    } else {
      await options.onFile(part, data);
      for await (const _ of data);
    }
  }
}

/** The parser's events, pulled from the body. */
async function* partEvents(
  request: Request,
  maximumBytes: number,
  headerBytes: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<PartEvent, void, void> {
  const parser = multipartParser(boundaryOf(request), headerBytes);
  let bytes = 0;
  try {
    for await (const chunk of request.body ?? []) {
      signal?.throwIfAborted();
      bytes += chunk.length;
      if (bytes > maximumBytes) throw tooLarge("the body", "bytes", maximumBytes, bytes);
      yield* parser.push(chunk);
      if (parser.done()) break;
    }
  } catch (error) {
    if (error instanceof Problem || signal?.aborted) throw error;
    throw endedEarly(bytes, error);
  }
  if (!parser.done()) throw endedEarly(bytes);
}

/** The data of the part that has just begun. */
async function* partData(
  events: AsyncGenerator<PartEvent, void, void>,
): AsyncGenerator<Uint8Array, void, void> {
  for (;;) {
    const { done, value } = await events.next();
    if (done || value.type === "end") return;
    if (value.type === "data") yield value.bytes;
  }
}

async function fieldText(
  name: string,
  data: AsyncIterable<Uint8Array>,
  limit: number,
): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  for await (const chunk of data) {
    bytes += chunk.length;
    if (bytes > limit) throw tooLarge(`part "${name}"`, "bytes", limit, bytes);
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

function boundaryOf(request: Request): string {
  const header = request.headers.get("content-type") ?? "";
  if (!/^multipart\/form-data\s*(;|$)/i.test(header)) {
    throw new Problem(
      "unsupported-media-type",
      `Cannot read the body as its type must be multipart/form-data: current value is ${header || "none"}`,
      { accepted: ["multipart/form-data"] },
    );
  }
  const boundary = parameter(header, "boundary");
  if (boundary === undefined || boundary.length === 0 || boundary.length > 70) {
    throw new Problem(
      "invalid-request",
      "Cannot read the multipart body as its boundary must have 1 to 70 characters: " +
        `current value is ${boundary ?? "none"}`,
    );
  }
  return boundary;
}

function partOf(headers: PartHeaders): FilePart {
  const disposition = headers.get("content-disposition") ?? "";
  const name = parameter(disposition, "name");
  if (!/^form-data\s*;/i.test(disposition) || name === undefined || name === "") {
    throw new Problem(
      "invalid-request",
      "Cannot read a part as its Content-Disposition must be form-data with a name: " +
        `current value is ${disposition.slice(0, 100) || "none"}`,
    );
  }
  const filename = parameter(disposition, "filename") ?? parameter(disposition, "filename*");
  const contentType = headers.get("content-type");
  return {
    name,
    ...(filename === undefined ? {} : { filename }),
    ...(contentType === undefined ? {} : { contentType }),
  };
}

/** A parameter of a header value, quoted or not; browsers write quotes inside names as %22. */
function parameter(header: string, name: string): string | undefined {
  const escaped = name.replace("*", "\\*");
  const pattern = new RegExp(`;\\s*${escaped}\\s*=\\s*(?:"((?:[^"\\\\]|\\\\.)*)"|([^;\\s]*))`, "i");
  const found = pattern.exec(header);
  if (!found) return undefined;
  return found[1]?.replaceAll(/\\(.)/g, "$1").replaceAll("%22", '"') ?? found[2];
}

function endedEarly(bytes: number, cause?: unknown): Problem {
  return new Problem(
    "invalid-request",
    `The body ended before its closing boundary: current value is ${bytes} bytes`,
    { bytes },
    cause,
  );
}

function tooLarge(what: string, unit: string, limit: number, value: number): Problem {
  return new Problem(
    "too-large",
    `Cannot read ${what} as it must have at most ${limit} ${unit}: current value is ${value}`,
    { limit, value },
  );
}
