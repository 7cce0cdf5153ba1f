/**
 * Hostile multipart bodies.
 *
 * @module
 */
import fc from "fast-check";
import { safetensorsOf, weights } from "../../support/small_model.ts";
import { type Inputs, joined, NAMES, posted, spoiled } from "./hostile_input.ts";

const RECIPE = JSON.stringify({
  merge_method: "linear",
  models: [{ model: "a" }, { model: "b" }],
  parameters: { weight: 1 },
});
const encoder = new TextEncoder();
const GOOD = safetensorsOf(weights(1));

const partHeader = fc.oneof(
  fc.constantFrom(
    "recipe",
    "c",
    ...NAMES,
    ...Array.from({ length: 60 }, (_, i) => i % 2 ? "a" : "b"),
  ).map((name) => `Content-Disposition: form-data; name="${name}"; filename="f"`),
  fc.constantFrom(
    'Content-Disposition: form-data; name="recipe"',
    "Content-Disposition: form-data",
    "Content-Disposition: attachment; name=a",
    "Content-Disposition: form-data; name*=UTF-8''%61; filename=x",
    'Content-Disposition: form-data; name="a\\"b"; filename="x"',
    'content-disposition:form-data;name=a;filename="\\',
    'Content-Disposition: form-data; name="a"; name="b"; filename="x"',
    'Content-Disposition: form-data; name="a"; filename="x"\r\nContent-Transfer-Encoding: base64',
    'Content-Disposition: form-data; name="a"; filename="x"\r\nContent-Encoding: gzip',
    'Content-Disposition: form-data; name="recipe"\r\nContent-Type: application/yaml',
    'Content-Disposition: form-data; name="recipe"\r\nContent-Type: text/html; charset=utf-7',
    "Content-Disposition: form-data; name=a; filename=x\r\n folded: yes",
    "no colon at all",
    ": no name",
    "",
    "X: " + "y".repeat(20_000),
    "X: y\r\n".repeat(500) + "Z: z",
    "Content-Disposition: form-data; " + "a=b; ".repeat(3000),
  ),
  fc.string({ unit: "binary", maxLength: 60 }),
);
const content = fc.oneof(
  fc.constant(GOOD),
  fc.constant(encoder.encode(RECIPE)),
  spoiled([GOOD, encoder.encode(RECIPE)]),
  fc.constantFrom("\r\n--b", "--b--", "\r\n--b\r\n\r\n", "\r\n--b--\r\n", "\r", "\r\n-", "").map((
    text,
  ) => encoder.encode(text)),
  fc.uint8Array({ maxLength: 60 }).map((bytes) => new Uint8Array(bytes)),
);
/** Mostly the right one, so that the rest of the body is looked at. */
const often = <T>(right: T, ...wrong: T[]) =>
  fc.oneof(
    { weight: 12, arbitrary: fc.constant(right) },
    { weight: 2, arbitrary: fc.constantFrom(...wrong) },
  );
const boundary = often(
  "b",
  '"b"',
  "",
  '""',
  "x".repeat(71),
  "b b",
  '"b',
  "b;charset=x",
  "\\b",
  "é",
);
/** Multipart bodies: parts in any order, wrong headers, boundaries inside, missing ends, a spoiled whole. */
export const multipartInputs: Inputs = fc.record({
  boundary,
  first: fc.nat(9).map((roll) => roll > 1),
  parts: fc.array(fc.tuple(partHeader, content), { maxLength: 4 }),
  end: often("--b--\r\n", "--b--", "--b-", "--b", "", "--b--trailing", "--c--\r\n"),
  start: often("", "preamble\r\n", "\r\n", "--b--\r\n", "--b".repeat(1000)),
  line: often("\r\n", "\n", "\r", " \r\n"),
  path: often("/merge", "/plan", "/tune", "/analyze"),
  cut: fc.option(fc.nat(2000), { freq: 10 }),
}).map(({ boundary, first, parts, end, start, line, path, cut }) => {
  const pieces = [encoder.encode(start)];
  const all = first
    ? [['Content-Disposition: form-data; name="recipe"', encoder.encode(RECIPE)] as const, ...parts]
    : parts;
  for (const [header, bytes] of all) {
    pieces.push(encoder.encode(`--b${line}${header}${line}${line}`), bytes, encoder.encode(line));
  }
  pieces.push(encoder.encode(end));
  const body = joined(pieces);
  return posted(
    path,
    `multipart/form-data; boundary=${boundary}`.replaceAll(/[^\x20-\xff]/g, ""),
    cut === null ? body : body.slice(0, cut),
  );
});
