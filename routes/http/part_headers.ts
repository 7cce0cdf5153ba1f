/**
 * The header lines of one part of a multipart body (RFC 7578).
 *
 * @module
 */
import { Problem } from "../../core/problem.ts";
import { parseMediaType } from "./media_type.ts";

/** What a part says of itself. */
export interface PartInfo {
  readonly name: string;
  readonly filename?: string;
  readonly contentType?: string;
}

const LINE = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*$/;
const CONTROL = /\p{Cc}/u;

/**
 * Parses a part's header lines.
 *
 * @param block The lines without the empty one that ends them.
 * @throws {Problem} `invalid-request` if a line is malformed or repeated, or if no Content-Disposition
 * says `form-data` with a name.
 */
export function parsePartHeaders(block: Uint8Array): PartInfo {
  const lines = new Map<string, string>();
  for (const line of decoded(block).split("\r\n")) {
    if (line === "") continue;
    const [, name, value] = LINE.exec(line) ?? [];
    if (name === undefined || value === undefined || CONTROL.test(value.replaceAll("\t", " "))) {
      throw malformed("a header line must have the form name: value", line);
    }
    const key = name.toLowerCase();
    if (lines.has(key)) throw malformed("a header line must not be repeated", name);
    lines.set(key, value);
  }
  const disposition = lines.get("content-disposition") ?? "";
  const { type, parameters } = parseMediaType(disposition) ?? {};
  const name = parameters?.get("name");
  if (type !== "form-data" || name === undefined || name === "") {
    throw malformed("its Content-Disposition must be form-data with a name", disposition || "none");
  }
  const filename = parameters?.get("filename");
  const contentType = lines.get("content-type");
  return {
    name: unescaped(name),
    ...(filename === undefined ? {} : { filename: unescaped(filename) }),
    ...(contentType === undefined ? {} : { contentType }),
  };
}

/** Whether a part is a text that may be kept in memory, rather than a file. */
export function isField({ filename, contentType }: PartInfo): boolean {
  if (filename !== undefined) return false;
  const type = contentType === undefined ? "text/plain" : parseMediaType(contentType)?.type ?? "";
  return /^text\/|[/+](?:x-)?(?:json|yaml)$/.test(type);
}

/** Browsers write a quotation mark and line breaks inside a name this way. */
function unescaped(text: string): string {
  return text.replaceAll("%22", '"').replaceAll(/%0D/gi, "\r").replaceAll(/%0A/gi, "\n");
}

function decoded(block: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(block);
  } catch {
    throw malformed("its header must be UTF-8", "other bytes");
  }
}

function malformed(reason: string, value: string): Problem {
  return new Problem(
    "invalid-request",
    `Cannot read a part of the body as ${reason}: current value is ${value.slice(0, 100)}`,
  );
}
