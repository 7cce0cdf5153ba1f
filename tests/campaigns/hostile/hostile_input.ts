/**
 * What a hostile input is, and how valid bytes and trees are spoiled.
 *
 * @module
 */
import fc from "fast-check";

/** One request that nobody well-meaning sends. */
export interface HostileInput {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array<ArrayBuffer>;
}

/** Inputs of one kind. */
export type Inputs = fc.Arbitrary<HostileInput>;

/** Posts bytes. */
export function posted(
  path: string,
  type: string,
  body: string | Uint8Array<ArrayBuffer>,
): HostileInput {
  const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
  return { method: "POST", path, headers: { "content-type": type }, body: bytes };
}

/** Posts a form of a document and files. */
export function form(
  path: string,
  part: string,
  document: unknown,
  files: Readonly<Record<string, Uint8Array>>,
): HostileInput {
  const boundary = "campaign-7d93b1";
  const pieces: Uint8Array[] = [];
  const text = (value: string) => pieces.push(new TextEncoder().encode(value));
  text(`--${boundary}\r\nContent-Disposition: form-data; name="${part}"\r\n\r\n`);
  text(typeof document === "string" ? document : JSON.stringify(document));
  for (const [name, bytes] of Object.entries(files)) {
    text(
      `\r\n--${boundary}\r\nContent-Disposition: form-data; name="${name}"; filename="f"\r\n\r\n`,
    );
    pieces.push(bytes);
  }
  text(`\r\n--${boundary}--\r\n`);
  return posted(path, `multipart/form-data; boundary=${boundary}`, joined(pieces));
}

/** Bytes one after the other. */
export function joined(pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}

/** Lengths and offsets at which readers stumble. */
export const EDGES = [
  0n,
  1n,
  7n,
  255n,
  65535n,
  65536n,
  2n ** 31n - 1n,
  2n ** 31n,
  2n ** 32n - 1n,
  2n ** 32n,
  2n ** 53n,
  2n ** 53n + 1n,
  2n ** 63n - 1n,
  2n ** 63n,
  2n ** 64n - 1n,
] as const;

const edit = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant("set" as const), at: fc.nat(), value: fc.nat(255) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant("flip" as const), at: fc.nat(), value: fc.nat(7) }),
  },
  fc.record({ kind: fc.constant("cut" as const), at: fc.nat(), value: fc.nat(64) }),
  fc.record({ kind: fc.constant("end" as const), at: fc.nat(), value: fc.constant(0) }),
  fc.record({ kind: fc.constant("repeat" as const), at: fc.nat(), value: fc.nat(64) }),
  fc.record({ kind: fc.constant("edge" as const), at: fc.nat(), value: fc.nat(EDGES.length - 1) }),
);

/** One of the valid files, spoiled in a few places, half of them near its start or end. */
export function spoiled(valid: readonly Uint8Array[]): fc.Arbitrary<Uint8Array<ArrayBuffer>> {
  return fc.record({
    which: fc.nat(valid.length - 1),
    edits: fc.array(fc.record({ edit, near: fc.nat(3) }), { minLength: 1, maxLength: 4 }),
  }).map(({ which, edits }) => {
    let bytes = new Uint8Array(valid[which]!);
    for (const { edit: { kind, at, value }, near } of edits) {
      if (bytes.length === 0) break;
      const reach = near < 2 ? Math.min(bytes.length, 128) : bytes.length;
      const place = near === 1 ? bytes.length - 1 - at % reach : at % reach;
      if (kind === "set") bytes[place] = value;
      else if (kind === "flip") bytes[place]! ^= 1 << value;
      else if (kind === "cut") {
        bytes = joined([bytes.subarray(0, place), bytes.subarray(place + value)]);
      } else if (kind === "end") bytes = bytes.slice(0, place);
      else if (kind === "repeat") {
        const piece = bytes.slice(place, place + value);
        bytes = joined([bytes.subarray(0, place), piece, piece, bytes.subarray(place)]);
      } else if (place + 8 <= bytes.length) {
        new DataView(bytes.buffer).setBigUint64(place, EDGES[value]!, true);
      }
    }
    return bytes;
  });
}

/** Names that mean something to the language, the file system or a parser. */
export const NAMES = [
  "__proto__",
  "constructor",
  "prototype",
  "toString",
  "hasOwnProperty",
  "__defineGetter__",
  "then",
  "",
  " ",
  ".",
  "..",
  "../../etc/passwd",
  "a\u0000b",
  "\ud800",
  "\u202egnp",
  "ａ",
  "e\u0301",
  "\ufeffx",
  "x".repeat(5000),
  "${7*7}",
  "'; DROP TABLE records; --",
  "<script>",
  "%00",
  "CON",
] as const;

/** Values of a document that nobody expects. */
export const strange: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    -1,
    0,
    -0,
    1.5,
    1e308,
    -1e308,
    5e-324,
    2 ** 31,
    2 ** 53,
    2 ** 53 + 2,
    "NaN",
    "-Infinity",
    [],
    {},
    [[]],
    { __proto__: null },
    JSON.parse('{"__proto__":{"polluted":true}}'),
    { constructor: { prototype: { polluted: true } } },
    Array.from({ length: 3000 }, () => 0),
  ),
  fc.constantFrom(...NAMES),
  fc.jsonValue({ maxDepth: 4 }),
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.nat(300).map((depth) => nested(depth)),
);

/** Lists in lists. */
export function nested(depth: number): unknown {
  let value: unknown = 1;
  for (let i = 0; i < depth; i++) value = i % 2 ? { a: value } : [value];
  return value;
}

const treeEdit = fc.record({
  at: fc.nat(),
  how: fc.constantFrom("replace", "delete", "rename", "wrap", "copy"),
  value: strange,
  name: fc.constantFrom(...NAMES, "model", "weight", "models", "sources", "parameters"),
});

/** One of the valid documents, spoiled in a few places. */
export function spoiledTree(valid: readonly unknown[]): fc.Arbitrary<unknown> {
  return fc.record({
    which: fc.nat(valid.length - 1),
    edits: fc.array(treeEdit, { minLength: 1, maxLength: 5 }),
  }).map(({ which, edits }) => {
    const root = { document: structuredClone(valid[which]) };
    for (const { at, how, value, name } of edits) {
      const places: (readonly [Record<string, unknown>, string])[] = [];
      collect(root, places, 0);
      const [owner, key] = places[at % places.length]!;
      if (how === "replace") owner[key] = value;
      else if (how === "wrap") owner[key] = [owner[key]];
      else if (how === "delete" && owner !== root) delete owner[key];
      else if (how === "copy") owner[key] = structuredClone(root.document);
      else if (owner !== root) {
        Object.defineProperty(owner, name, {
          value: owner[key],
          enumerable: true,
          configurable: true,
          writable: true,
        });
        delete owner[key];
      }
    }
    return root.document;
  });
}

function collect(
  value: unknown,
  places: (readonly [Record<string, unknown>, string])[],
  depth: number,
): void {
  if (typeof value !== "object" || value === null || depth > 12) return;
  for (const key of Object.keys(value).slice(0, 50)) {
    places.push([value as Record<string, unknown>, key]);
    collect((value as Record<string, unknown>)[key], places, depth + 1);
  }
}
