/**
 * Reads the request document, JSON or YAML, into plain data.
 *
 * @module
 */
import { DEFAULT_LIMITS, LIMITS } from "../limits.ts";
import { Problem } from "../problem.ts";
import { DocumentFault, parseJson } from "./json_document.ts";

/** Bounds on what a document may cost to read. */
export interface DocumentLimits {
  /** Length in characters. */
  readonly document?: number;
  /** Levels of lists and maps. */
  readonly depth?: number;
  /** Values, those behind aliases included. */
  readonly values?: number;
}

const JSON_TYPE = /^(?:application\/json|text\/json|[\w.+-]+\/[\w.+-]+\+json)$/;
const YAML_TYPE = /^(?:application|text)\/(?:x-)?yaml$|^[\w.+-]+\/[\w.+-]+\+yaml$/;

/**
 * Parses a document by its media type (parameters such as `charset` are ignored). The result is plain
 * data: null, booleans, numbers, strings, arrays, and objects with own properties only. The reader of
 * YAML is loaded with the first such document.
 *
 * @throws {Problem} `invalid-recipe` with `line` and `column` (from 1) if the text is malformed or
 * repeats a key, `too-large` if it is beyond a limit, `unsupported-media-type` for other types.
 */
export async function parseDocument(
  text: string,
  mediaType: string,
  limits: DocumentLimits = {},
): Promise<unknown> {
  const { document: maxLength, depth, values } = { ...DEFAULT_LIMITS, ...limits };
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
      `Cannot read the document as its length must be at most ${maxLength} characters ` +
        `(${LIMITS.document.variable}): current value is ${text.length}`,
      { limit: maxLength, value: text.length, variable: LIMITS.document.variable },
    );
  }
  const body = text.startsWith("\ufeff") ? text.slice(1) : text;
  try {
    if (format === "JSON") return parseJson(body, depth, values);
    const { parseYaml } = await import("./yaml_document.ts");
    return parseYaml(body, depth, values);
  } catch (error) {
    if (!(error instanceof DocumentFault)) throw error;
    const { line, column } = positionOf(body, error.offset);
    const message =
      `Cannot read the document as ${format} at line ${line}, column ${column}: ${error.message}`;
    const limited = error.limit === undefined ? {} : {
      limit: error.limit === "depth" ? depth : values,
      variable: LIMITS[error.limit].variable,
    };
    throw new Problem(error.limit === undefined ? "invalid-recipe" : "too-large", message, {
      errors: [{ path: "", message }],
      line,
      column,
      ...limited,
    }, error);
  }
}

/** Line and column of an offset, both from 1. */
function positionOf(text: string, offset: number): { line: number; column: number } {
  const before = text.slice(0, offset);
  const lineStart = before.lastIndexOf("\n") + 1;
  return { line: before.split("\n").length, column: offset - lineStart + 1 };
}
