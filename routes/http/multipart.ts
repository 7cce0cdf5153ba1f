/**
 * Reads `multipart/form-data` as a stream: parts in order, with back-pressure, never buffered.
 *
 * @module
 */
import { ENDED } from "../../core/ended.ts";
import { DEFAULT_LIMITS, limitProblem } from "../../core/limits.ts";
import { Problem } from "../../core/problem.ts";
import { decodeText, requireUtf8 } from "./body.ts";
import { bodyChunks, bodyEnded, tooLarge } from "./body_chunks.ts";
import { parseMediaType, requireMediaType } from "./media_type.ts";
import {
  checkBoundary,
  type MultipartParser,
  multipartParser,
  type PartEvent,
} from "./multipart_parser.ts";
import { isField, type PartInfo } from "./part_headers.ts";
import type { UploadGate } from "./upload_gate.ts";

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
  /** Characters of a part's name; 4096. */
  readonly nameLength?: number;
}

/** What is known of a file part. */
export type FilePart = PartInfo;

/** How parts are taken. */
export interface MultipartOptions {
  readonly limits: MultipartLimits;
  /** Ends the reading at once, also while the client sends nothing. */
  readonly signal?: AbortSignal;
  readonly gate?: UploadGate | undefined;
  /** Takes a part that is not a file: it has no file name, and no type or that of a text. */
  onField(name: string, text: string, contentType: string | undefined): void | Promise<void>;
  /**
   * Takes a file part. Its chunks are read from the body as they are asked for; they throw if the body
   * ends before the part does. What is left when it returns is skipped. A chunk is valid
   * until the next one is asked for.
   */
  onFile(part: FilePart, chunks: AsyncIterable<Uint8Array>): Promise<void>;
}

/** What may follow the closing delimiter; it is ignored. */
const MAXIMUM_EPILOGUE = 65_536;

/**
 * Reads all parts, strictly in order.
 *
 * @throws {Problem} `unsupported-media-type`, `invalid-request` (malformed, ends early, repeated name),
 * `too-large`; and whatever the callbacks throw.
 * @throws The signal's reason.
 */
export async function readMultipart(request: Request, options: MultipartOptions): Promise<void> {
  const { limits } = options;
  const { parts = 256, headerBytes = 16_384, fieldBytes = 1 << 20, maximumBytes } = limits;
  const { nameLength = DEFAULT_LIMITS.name } = limits;
  const { parameters } = requireMediaType(request, ["multipart/form-data"]);
  const parser = multipartParser(checkBoundary(parameters.get("boundary")), headerBytes);
  // Ends a read that a callback may have left behind.
  const end = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, end.signal]) : end.signal;
  const events = partEvents(
    bodyChunks(request, { maximum: maximumBytes, signal, gate: options.gate }),
    parser,
  );
  const names = new Set<string>();
  try {
    for (;;) {
      const { done, value } = await events.next();
      if (done) return;
      if (value.type !== "begin") throw new Error("The multipart parser lost its place");
      const { part } = value;
      if (names.size === parts) {
        throw tooLarge("the body", "parts", parts, `more than ${parts}`, "parts");
      }
      if (part.name.length > nameLength) {
        const { length } = part.name;
        throw limitProblem("name", nameLength, "a part", "the length of its name", length);
      }
      if (names.has(part.name)) throw repeated(part.name);
      names.add(part.name);
      const data = partData(events);
      if (isField(part)) {
        const text = await fieldText(part, data, fieldBytes);
        await options.onField(part.name, text, part.contentType);
      } else {
        await options.onFile(part, data);
        await data.skip();
      }
    }
  } finally {
    end.abort(ENDED);
    events.return().catch(() => {});
  }
}

/** The parser's events, pulled from the body. */
async function* partEvents(
  body: AsyncIterable<Uint8Array>,
  parser: MultipartParser,
): AsyncGenerator<PartEvent, void, void> {
  let bytes = 0;
  let epilogue = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (parser.done()) epilogue += chunk.length;
    else yield* parser.push(chunk);
    if (epilogue > MAXIMUM_EPILOGUE) {
      throw new Problem(
        "invalid-request",
        `Cannot read the body as it must end with its closing boundary: current value is ${epilogue} bytes more`,
      );
    }
  }
  if (!parser.done()) throw bodyEnded(bytes);
}

/** Chunks of the part that has just begun. */
interface PartData extends AsyncIterable<Uint8Array> {
  /** Reads to the end of the part; afterwards the chunks are at their end. */
  skip(): Promise<void>;
}

function partData(events: AsyncGenerator<PartEvent, void, void>): PartData {
  let ended = false;
  async function next(): Promise<Uint8Array | undefined> {
    if (ended) return undefined;
    const { done, value } = await events.next();
    if (!done && value.type === "data") return value.bytes;
    ended = true;
    return undefined;
  }
  return {
    async *[Symbol.asyncIterator]() {
      for (let chunk = await next(); chunk !== undefined; chunk = await next()) yield chunk;
    },
    async skip() {
      while (await next() !== undefined);
    },
  };
}

async function fieldText(part: PartInfo, data: PartData, limit: number): Promise<string> {
  const what = `part "${part.name}"`;
  requireUtf8(parseMediaType(part.contentType ?? "")?.parameters.get("charset"), what);
  let bytes = 0;
  async function* counted() {
    for await (const chunk of data) {
      bytes += chunk.length;
      if (bytes > limit) throw tooLarge(what, "bytes", limit, `more than ${limit}`, "document");
      yield chunk;
    }
  }
  return await decodeText(counted(), what);
}

function repeated(name: string): Problem {
  return new Problem(
    "invalid-request",
    `Cannot read the body as each part must have a name of its own: current value is "${name}" twice`,
    { part: name },
  );
}
