/**
 * A strict JSON reader for headers: it knows where every value stands, sees duplicate keys and keeps
 * numbers as they were written, all of which `JSON.parse` hides.
 *
 * @module
 */

/** A JSON value with its place, `[at, end)` in UTF-16 units of the text. */
export type JsonNode =
  & { readonly at: number; readonly end: number }
  & (
    | { readonly type: "object"; readonly members: ReadonlyMap<string, JsonNode> }
    | { readonly type: "array"; readonly items: readonly JsonNode[] }
    | { readonly type: "string"; readonly value: string }
    | { readonly type: "number"; readonly literal: string }
    | { readonly type: "word"; readonly value: boolean | null }
  );

/** Called at the first fault: where, why, and the keys that lead there; it must throw. */
export type JsonFault = (at: number, reason: string, path: readonly string[]) => never;

/** Receives each member of the outermost object as soon as it is read. */
export type JsonMember = (key: string, value: JsonNode, keyAt: number) => void;

// No header needs more; the limits keep a hostile one from exhausting the stack or the memory.
const DEPTH_LIMIT = 32;
const ITEMS_LIMIT = 64;

const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const WORDS: readonly (readonly [string, boolean | null])[] = [
  ["true", true],
  ["false", false],
  ["null", null],
];

/**
 * Reads a text that must be one JSON object, surrounded by nothing but whitespace after it.
 *
 * @param text The JSON text.
 * @param member Receives the members of the outermost object in order.
 * @param fault Called at the first fault, duplicate keys at any depth included.
 */
export function readJsonObject(text: string, member: JsonMember, fault: JsonFault): void {
  const path: string[] = [];
  let at = 0;

  function skip(): number {
    let code = text.charCodeAt(at);
    while (code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09) {
      code = text.charCodeAt(++at);
    }
    return code;
  }

  function fail(reason: string, where = at): never {
    return fault(where, reason, path);
  }

  function expect(code: number): void {
    if (skip() !== code) fail(`"${String.fromCharCode(code)}" is expected`);
    at++;
  }

  function readString(): string {
    const start = at;
    if (skip() !== 0x22) fail("a string is expected");
    const open = at++;
    let escaped = false;
    for (;; at++) {
      const code = text.charCodeAt(at);
      if (code === 0x22) break;
      if (code === 0x5c) {
        escaped = true;
        at++;
      } else if (!(code >= 0x20)) fail("a string is not closed", Math.max(start, open));
    }
    at++;
    if (!escaped) return text.slice(open + 1, at - 1);
    const value = unescape(text.slice(open, at));
    return value ?? fail("a string holds an invalid escape", open);
  }

  function readMembers(each: JsonMember): void {
    const seen = new Set<string>();
    expect(0x7b);
    if (skip() === 0x7d) {
      at++;
      return;
    }
    for (;;) {
      skip();
      const keyAt = at;
      const key = readString();
      path.push(key);
      if (seen.has(key)) fail("a name stands twice", keyAt);
      seen.add(key);
      expect(0x3a);
      each(key, readValue(), keyAt);
      path.pop();
      if (skip() === 0x7d) break;
      expect(0x2c);
    }
    at++;
  }

  function readItems(): JsonNode[] {
    const items: JsonNode[] = [];
    expect(0x5b);
    if (skip() !== 0x5d) {
      for (;;) {
        if (items.length === ITEMS_LIMIT) fail(`an array has more than ${ITEMS_LIMIT} items`);
        items.push(readValue());
        if (skip() === 0x5d) break;
        expect(0x2c);
      }
    }
    at++;
    return items;
  }

  let depth = 0;
  function readValue(): JsonNode {
    const code = skip();
    const start = at;
    if (++depth > DEPTH_LIMIT) fail(`values are nested deeper than ${DEPTH_LIMIT}`);
    let node: JsonNode;
    if (code === 0x7b) {
      const members = new Map<string, JsonNode>();
      readMembers((key, value) => members.set(key, value));
      node = { type: "object", at: start, end: at, members };
    } else if (code === 0x5b) {
      const items = readItems();
      node = { type: "array", at: start, end: at, items };
    } else if (code === 0x22) {
      const value = readString();
      node = { type: "string", at: start, end: at, value };
    } else node = readScalar(start);
    depth--;
    return node;
  }

  function readScalar(start: number): JsonNode {
    NUMBER.lastIndex = start;
    const literal = NUMBER.exec(text)?.[0];
    if (literal !== undefined) {
      at += literal.length;
      return { type: "number", at: start, end: at, literal };
    }
    for (const [word, value] of WORDS) {
      if (!text.startsWith(word, start)) continue;
      at += word.length;
      return { type: "word", at: start, end: at, value };
    }
    return fail("a value is expected");
  }

  if (text.charCodeAt(0) !== 0x7b) fail('the text must begin with "{"');
  readMembers(member);
  skip();
  if (at !== text.length) fail("something follows the object");
}

/** The string that a JSON string literal stands for; undefined if it is none or is no valid Unicode. */
function unescape(literal: string): string | undefined {
  try {
    const value = JSON.parse(literal) as string;
    return value.isWellFormed() ? value : undefined;
  } catch {
    return undefined;
  }
}
