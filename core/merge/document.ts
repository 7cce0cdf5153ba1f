/**
 * Reads the request document, JSON or YAML, into plain data.
 *
 * @module
 */
import { Problem } from "../problem.ts";
import { DocumentFault, parseJson } from "./json_document.ts";
import { parseYaml } from "./yaml_document.ts";

/** Bounds on what a document may cost to read. */
export interface DocumentLimits {
  /** Length in characters; default 262144. */
  readonly maxLength?: number;
  /** Levels of lists and maps; default 64. */
  readonly maxDepth?: number;
}

const JSON_TYPE = /^(?:application\/json|text\/json|[\w.+-]+\/[\w.+-]+\+json)$/;
const YAML_TYPE = /^(?:application|text)\/(?:x-)?yaml$|^[\w.+-]+\/[\w.+-]+\+yaml$/;

/**
 * Parses a document by its media type (parameters such as `charset` are ignored). The result is plain
 * data: null, booleans, numbers, strings, arrays, and objects with own properties only.
 *
 * @throws {Problem} `invalid-recipe` with `line` and `column` (from 1) if the text is malformed or
 * repeats a key, `too-large` if it is longer than the limit, `unsupported-media-type` for other types.
 */
export function parseDocument(
  text: string,
  mediaType: string,
  { maxLength = 262_144, maxDepth = 64 }: DocumentLimits = {},
): unknown {
  const type = mediaType.split(";")[0]!.trim().toLowerCase();
  const format = JSON_TYPE.test(type) ? "JSON" : YAML_TYPE.test(type) ? "YAML" : undefined;
  if (format === undefined) {
    throw new Problem(
      "unsupported-media-type",
      "Cannot read the document as its media type must be application/json or application/yaml: " +
        `current value is ${mediaType}`,
    );
  }
  if (text.length > maxLength) {
    throw new Problem(
      "too-large",
      `Cannot read the document as its length must be at most ${maxLength} characters: ` +
        `current value is ${text.length}`,
      { limit: maxLength, value: text.length },
    );
  }
  const body = text.startsWith("\ufeff") ? text.slice(1) : text;
  try {
    return format === "JSON" ? parseJson(body, maxDepth) : parseYaml(body, maxDepth);
  } catch (error) {
    if (!(error instanceof DocumentFault)) throw error;
    const { line, column } = positionOf(body, error.offset);
    const message =
      `Cannot read the document as ${format} at line ${line}, column ${column}: ${error.message}`;
    throw new Problem("invalid-recipe", message, {
      errors: [{ path: "", message }],
      line,
      column,
    }, error);
  }
}

/** Line and column of an offset, both from 1. */
function positionOf(text: string, offset: number): { line: number; column: number } {
  const before = text.slice(0, offset);
  const lineStart = before.lastIndexOf("\n") + 1;
  return { line: before.split("\n").length, column: offset - lineStart + 1 };
}
