/**
 * Reads small request bodies.
 *
 * @module
 */
import type { LimitName } from "../../core/limits.ts";
import { Problem } from "../../core/problem.ts";
import { bodyChunks } from "./body_chunks.ts";
import type { UploadGate } from "./upload_gate.ts";
import { requireMediaType } from "./media_type.ts";

/** Bounds of a body. */
export interface BodyOptions {
  /** Limit in bytes. */
  readonly maximum: number;
  /** What the resource reads, for the answer to anything else; see {@linkcode requireMediaType}. */
  readonly mediaTypes: readonly string[];
  /** Ends the reading. */
  readonly signal?: AbortSignal;
  readonly gate?: UploadGate | undefined;
  /** Which limit `maximum` is. */
  readonly limit?: LimitName | undefined;
}

/**
 * The body as text, counted while it is read; a byte order mark at its beginning is dropped.
 *
 * @throws {Problem} `unsupported-media-type`, `too-large`, or `invalid-request` if the body breaks off
 * or is not UTF-8.
 * @throws The signal's reason.
 */
export async function readText(request: Request, options: BodyOptions): Promise<string> {
  const { maximum, limit, mediaTypes, signal, gate } = options;
  requireUtf8(requireMediaType(request, mediaTypes).parameters.get("charset"), "the body");
  return await decodeText(bodyChunks(request, { maximum, limit, signal, gate }), "the body");
}

/**
 * Decodes UTF-8.
 *
 * @param what What the problem says cannot be read.
 * @throws {Problem} `invalid-request` with `byte`, where the first chunk that is not UTF-8 begins.
 */
export async function decodeText(
  chunks: AsyncIterable<Uint8Array>,
  what: string,
): Promise<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let text = "";
  let byte = 0;
  const decode = (chunk?: Uint8Array) => {
    try {
      return chunk ? decoder.decode(chunk, { stream: true }) : decoder.decode();
    } catch {
      throw new Problem(
        "invalid-request",
        `Cannot read ${what} as it must be UTF-8, but is not at or after byte ${byte}`,
        { byte },
      );
    }
  };
  for await (const chunk of chunks) {
    text += decode(chunk);
    byte += chunk.length;
  }
  return text + decode();
}

/**
 * Refuses other encodings of text.
 *
 * @throws {Problem} `unsupported-media-type`.
 */
export function requireUtf8(charset: string | undefined, what: string): void {
  if (charset === undefined || /^(?:utf-?8|us-ascii)$/i.test(charset)) return;
  throw new Problem(
    "unsupported-media-type",
    `Cannot read ${what} as its charset must be utf-8: current value is ${charset}`,
  );
}
