/**
 * A strict JSON reader that tells where a document is at fault, refuses repeated keys and bounds depth.
 *
 * @module
 */
import { LIMITS } from "../limits.ts";

/** A fault of a document's text. */
export class DocumentFault extends Error {
  /** Where in the text, counted in UTF-16 units from 0. */
  readonly offset: number;
  /** The limit that the document exceeds, if that is its fault. */
  readonly limit: "depth" | "values" | undefined;

  constructor(message: string, offset: number, limit?: "depth" | "values") {
    super(message);
    this.name = "DocumentFault";
    this.offset = offset;
    this.limit = limit;
  }
}

/** The fault of a document that nests too deep. */
export function tooDeep(limit: number, offset: number): DocumentFault {
  return new DocumentFault(
    `it nests deeper than the limit of ${limit} levels (${LIMITS.depth.variable})`,
    offset,
    "depth",
  );
}

/** The fault of a document that holds too much. */
export function tooManyValues(limit: number, offset: number): DocumentFault {
  return new DocumentFault(
    `it holds more than the limit of ${limit} values (${LIMITS.values.variable})`,
    offset,
    "values",
  );
}

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
// Cc also holds U+007F to U+009F, which JSON allows.
const STRING = /"(?:[^"\\\p{Cc}]|[\u007f-\u009f]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*"/uy;
const SPACE = /[ \t\n\r]*/y;
const WORDS = [["true", true], ["false", false], ["null", null]] as const;

/**
 * Parses JSON text. Objects have own properties only, whatever their keys.
 *
 * @throws {DocumentFault} If the text is not JSON, repeats a key, or nests deeper than `maxDepth`, or holds
 * more than `maxValues`.
 */
export function parseJson(text: string, maxDepth: number, maxValues: number): unknown {
  let at = 0;
  let values = 0;
  const result = value(1);
  space();
  if (at < text.length) throw unexpected("the end");
  return result;

  function value(depth: number): unknown {
    space();
    if (++values > maxValues) throw tooManyValues(maxValues, at);
    const character = text[at];
    if (character === "{") return object(deeper(depth));
    if (character === "[") return array(deeper(depth));
    if (character === '"') return string();
    const number = match(NUMBER);
    if (number !== undefined) return Number(number);
    for (const [word, meaning] of WORDS) {
      if (text.startsWith(word, at)) {
        at += word.length;
        return meaning;
      }
    }
    throw unexpected("a value");
  }

  function object(depth: number): unknown {
    const entries = new Map<string, unknown>();
    at++;
    space();
    if (skip("}")) return {};
    do {
      space();
      const start = at;
      const key = string();
      if (entries.has(key)) {
        throw new DocumentFault(`the key ${JSON.stringify(key)} stands twice in one object`, start);
      }
      space();
      if (!skip(":")) throw unexpected('":"');
      entries.set(key, value(depth));
      space();
    } while (skip(","));
    if (!skip("}")) throw unexpected('"," or "}"');
    return Object.fromEntries(entries);
  }

  function array(depth: number): unknown {
    const items: unknown[] = [];
    at++;
    space();
    if (skip("]")) return items;
    do {
      items.push(value(depth));
      space();
    } while (skip(","));
    if (!skip("]")) throw unexpected('"," or "]"');
    return items;
  }

  function string(): string {
    const start = at;
    const token = match(STRING);
    if (token !== undefined) return JSON.parse(token) as string;
    if (text[start] !== '"') throw unexpected("a string");
    throw new DocumentFault("the string that begins here is not well-formed", start);
  }

  function deeper(depth: number): number {
    if (depth > maxDepth) throw tooDeep(maxDepth, at);
    return depth + 1;
  }

  function match(pattern: RegExp): string | undefined {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0];
    if (found !== undefined) at += found.length;
    return found;
  }

  function space(): void {
    match(SPACE);
  }

  function skip(character: string): boolean {
    if (text[at] !== character) return false;
    at++;
    return true;
  }

  function unexpected(wanted: string): DocumentFault {
    const found = at < text.length
      ? JSON.stringify(String.fromCodePoint(text.codePointAt(at)!))
      : "the end";
    return new DocumentFault(`${wanted} is expected where ${found} stands`, at);
  }
}
