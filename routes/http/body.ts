/**
 * Reads small request bodies.
 *
 * @module
 */
import { Problem } from "../../core/problem.ts";

/** Bounds of a body. */
export interface BodyOptions {
  /** Limit in bytes. */
  readonly maximum: number;
  /** What the resource reads, for the answer to anything else. */
  readonly mediaTypes: readonly string[];
  readonly signal?: AbortSignal;
}

/**
 * The body as text, counted while it is read.
 *
 * @throws {Problem} `unsupported-media-type`, `too-large`, or `invalid-request` if it is not UTF-8.
 */
export async function readText(request: Request, options: BodyOptions): Promise<string> {
  const { maximum, mediaTypes, signal } = options;
  const header = request.headers.get("content-type") ?? "";
  const type = header.split(";")[0]!.trim().toLowerCase();
  const known = mediaTypes.some((each) => each === type) || /[+/](json|yaml|x-yaml)$/.test(type);
  if (!known) {
    throw new Problem(
      "unsupported-media-type",
      `Cannot read the body as its type must be one of ${mediaTypes.join(", ")}: ` +
        `current value is ${header === "" ? "none" : header}`,
      { accepted: mediaTypes },
    );
  }
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let text = "";
  let bytes = 0;
  try {
    for await (const chunk of request.body ?? []) {
      signal?.throwIfAborted();
      bytes += chunk.length;
      if (bytes > maximum) {
        throw new Problem(
          "too-large",
          `Cannot read the body as its length must be at most ${maximum} bytes: ` +
            `current value is more than ${maximum}`,
          { limit: maximum },
        );
      }
      text += decoder.decode(chunk, { stream: true });
    }
    return text + decoder.decode();
  } catch (error) {
    if (error instanceof TypeError && error.message.includes("decode")) {
      throw new Problem(
        "invalid-request",
        `Cannot read the body as it is not UTF-8: the fault is before byte ${bytes}`,
      );
    }
    throw error;
  }
}
