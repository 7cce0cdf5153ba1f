/**
 * Media types and their parameters (RFC 9110, sections 5.6.6 and 8.3.1).
 *
 * @module
 */
import { Problem } from "../../core/problem.ts";

/** A value with parameters: a media type, or a content disposition. */
export interface MediaType {
  /** Lower case, without parameters. */
  readonly type: string;
  /** Names in lower case; values unquoted, as written otherwise. */
  readonly parameters: ReadonlyMap<string, string>;
}

const TYPE = /^\s*([!#$%&'*+.^_`|~0-9A-Za-z/-]+)\s*/;
// A backslash escapes only a quotation mark or another one: some browsers send file paths as they are.
const PARAMETER =
  /\s*;\s*(?:([!#$%&'*+.^_`|~0-9A-Za-z-]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s;"]*)))?\s*/y;

/** Parses a header value; undefined if it is malformed or repeats a parameter. */
export function parseMediaType(header: string): MediaType | undefined {
  const found = TYPE.exec(header);
  if (!found) return undefined;
  const parameters = new Map<string, string>();
  const pattern = new RegExp(PARAMETER);
  for (let at = found[0].length; at < header.length; at = pattern.lastIndex) {
    pattern.lastIndex = at;
    const match = pattern.exec(header);
    if (!match) return undefined;
    const [, name, quoted, plain] = match;
    if (name === undefined) continue;
    const key = name.toLowerCase();
    if (parameters.has(key)) return undefined;
    parameters.set(key, quoted?.replaceAll(/\\(["\\])/g, "$1") ?? plain ?? "");
  }
  return { type: found[1]!.toLowerCase(), parameters };
}

/**
 * The media type of a request's body.
 *
 * @param accepted Types that the resource reads. `application/json` stands for `…+json` too, and
 * `application/yaml` for the other names that YAML goes by.
 * @throws {Problem} `unsupported-media-type` with `accepted`, for other types and for compressed bodies.
 */
export function requireMediaType(request: Request, accepted: readonly string[]): MediaType {
  const header = request.headers.get("content-type") ?? "";
  const encoding = request.headers.get("content-encoding") ?? "identity";
  if (encoding.toLowerCase() !== "identity") {
    throw new Problem(
      "unsupported-media-type",
      `Cannot read the body as it must not be compressed: current value is ${encoding}`,
      { accepted },
    );
  }
  const parsed = parseMediaType(header);
  if (parsed && accepted.includes(canonical(parsed.type))) return parsed;
  throw new Problem(
    "unsupported-media-type",
    `Cannot read the body as its media type must be ${accepted.join(" or ")}: ` +
      `current value is ${header || "none"}`,
    { accepted },
  );
}

function canonical(type: string): string {
  if (/^(?:text\/json|[\w.-]+\/[\w.-]+\+json)$/.test(type)) return "application/json";
  if (/^(?:(?:application|text)\/(?:x-)?yaml|[\w.-]+\/[\w.-]+\+yaml)$/.test(type)) {
    return "application/yaml";
  }
  return type;
}
