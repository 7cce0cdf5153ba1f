import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { parseDocument } from "../../core/merge/document.ts";
import { caughtProblem } from "../support/caught_problem.ts";

const JSON_TYPE = "application/json; charset=utf-8";
const YAML_TYPE = "application/yaml";

Deno.test("parseDocument() reads JSON and YAML into the same plain data", async () => {
  const expected = { a: [1, 2.5, true, null, "x"], b: { "c.d": {} } };
  const json = ' {"a": [1, 2.5, true, null, "x"], "b": {"c.d": {}}} ';
  assertEquals(await parseDocument(json, JSON_TYPE), expected);
  assertEquals(await parseDocument(json, "application/yaml"), expected);
  assertEquals(
    await parseDocument("\ufeffa: [1, 2.5, true, ~, x]\nb:\n  c.d: {}\n", "text/x-yaml"),
    expected,
  );
  assertEquals(await parseDocument('"\\u00e9\\n\u{1f600}\u007f"', JSON_TYPE), "é\n\u{1f600}\u007f");
});

Deno.test("parseDocument() reads YAML 1.2, where yes and dates are strings", async () => {
  assertEquals(
    await parseDocument("%YAML 1.1\n---\na: yes\nb: 2001-01-01\nc: 1e-5\n12: k\n", YAML_TYPE),
    { "12": "k", a: "yes", b: "2001-01-01", c: 0.00001 },
  );
});

Deno.test("parseDocument() expands aliases", async () => {
  assertEquals(await parseDocument("a: &x {w: 1}\nb: [*x, *x]\n", YAML_TYPE), {
    a: { w: 1 },
    b: [{ w: 1 }, { w: 1 }],
  });
});

Deno.test("parseDocument() keeps keys of prototypes as own properties", async () => {
  for (
    const [text, type] of [
      ['{"__proto__": {"polluted": 1}, "constructor": 2}', JSON_TYPE],
      ["__proto__: {polluted: 1}\nconstructor: 2\n", YAML_TYPE],
    ] as const
  ) {
    const value = await parseDocument(text, type) as Record<string, unknown>;
    assertEquals(Object.keys(value), ["__proto__", "constructor"]);
    assertEquals(Object.getPrototypeOf(value), Object.prototype);
    assertEquals(value.polluted, undefined);
  }
});

const FAULTS: readonly [name: string, text: string, type: string, line: number, column: number][] =
  [
    ["a trailing comma", '{"a":1,}', JSON_TYPE, 1, 8],
    ["an early end", '{"a":', JSON_TYPE, 1, 6],
    ["a word that is no value", '{"a":\n\n nope}', JSON_TYPE, 3, 2],
    ["text after the end", "[1] 2", JSON_TYPE, 1, 5],
    ["a repeated key", '{"a":1,\n"a":2}', JSON_TYPE, 2, 1],
    ["a raw line break in a string", '["a\nb"]', JSON_TYPE, 1, 2],
    ["a leading zero", "[01]", JSON_TYPE, 1, 3],
    ["an empty text", "", JSON_TYPE, 1, 1],
    ["a repeated YAML key", "a: 1\na: 2\n", YAML_TYPE, 2, 1],
    ["a binary tag", "a: !!binary aGk=\n", YAML_TYPE, 1, 4],
    ["a custom tag", "a: !python/object 3\n", YAML_TYPE, 1, 4],
    ["an alias without anchor", "a: *x\n", YAML_TYPE, 1, 4],
    ["an alias inside its own anchor", "a: &x\n  b: *x\n", YAML_TYPE, 2, 6],
    ["a list as a key", "? [1]\n: 2\n", YAML_TYPE, 1, 3],
    ["two documents", "a: 1\n---\nb: 2\n", YAML_TYPE, 2, 1],
    ["an open list", "a: [1, 2\n", YAML_TYPE, 2, 1],
    ["a tab as indentation", "a:\n\tb: 1\n", YAML_TYPE, 2, 1],
  ];

for (const [name, text, type, line, column] of FAULTS) {
  Deno.test(`parseDocument() tells where ${name} stands`, async () => {
    const problem = await caughtProblem(() => parseDocument(text, type));
    assertEquals(problem.kind, "invalid-recipe");
    assertEquals([problem.members.line, problem.members.column], [line, column]);
    assertStringIncludes(problem.message, `at line ${line}, column ${column}: `);
    assertEquals(problem.members.errors, [{ path: "", message: problem.message }]);
  });
}

const BOMBS: readonly [name: string, text: string, expected: string][] = [
  ["nested flow lists", "[".repeat(200_000), "deeper than the limit of 64"],
  ["nested block lists", "- ".repeat(100_000), "deeper than the limit of 64"],
  ["nested maps", "{a: ".repeat(45_000), "deeper than the limit of 64"],
  [
    "aliases of aliases",
    "a: &a [x,x,x,x,x,x,x,x,x,x]\n" +
    ["b", "c", "d", "e", "f", "g", "h"].map((name, i) => {
      const alias = `*${"abcdefg"[i]}`;
      return `${name}: &${name} [${new Array(10).fill(alias).join(",")}]\n`;
    }).join(""),
    "more than the limit of 100000 values",
  ],
];

for (const [name, text, expected] of BOMBS) {
  Deno.test(`parseDocument() refuses ${name} at once`, async () => {
    const start = performance.now();
    const problem = await caughtProblem(() => parseDocument(text, YAML_TYPE));
    assertEquals(problem.kind, "too-large");
    assertStringIncludes(problem.message, expected);
    assert(performance.now() - start < 10_000);
  });
}

Deno.test("parseDocument() takes four times as long for four times as many keys, not sixteen", async () => {
  /** The shortest of five times: what else runs on the machine only adds. */
  const shortest = async (count: number) => {
    const text = Array.from({ length: count }, (_, i) => `k${i}: 1`).join("\n");
    let least = Infinity;
    for (let i = 0; i < 5; i++) {
      const start = performance.now();
      assertEquals(Object.keys(await parseDocument(text, YAML_TYPE) as object).length, count);
      least = Math.min(least, performance.now() - start);
    }
    return least;
  };
  const few = await shortest(5000);
  assert(await shortest(20_000) < 11 * few);
});

Deno.test("parseDocument() allows exactly 64 levels, and tells where one more begins", async () => {
  const text = "[".repeat(64) + "]".repeat(64);
  assertEquals(await parseDocument(text, JSON_TYPE), await parseDocument(text, YAML_TYPE));
  const { kind, members } = await caughtProblem(() => parseDocument(`[${text}]`, JSON_TYPE));
  assertEquals(
    [kind, members.line, members.column, members.limit, members.variable],
    ["too-large", 1, 65, 64, "AMALGAM_MAX_DEPTH"],
  );
});

Deno.test("parseDocument() allows exactly as many values as the limit says", async () => {
  for (const type of [JSON_TYPE, YAML_TYPE]) {
    // A list, a map, and two values: four.
    const text = '[1, {"a": 2}]';
    assertEquals(await parseDocument(text, type, { values: 4 }), [1, { a: 2 }]);
    const { kind, members } = await caughtProblem(() => parseDocument(text, type, { values: 3 }));
    assertEquals(
      [kind, members.limit, members.variable],
      ["too-large", 3, "AMALGAM_MAX_VALUES"],
      type,
    );
  }
});

Deno.test("parseDocument() bounds the length and the media type", async () => {
  const long = await caughtProblem(() => parseDocument(" ".repeat(300_000), JSON_TYPE));
  assertEquals(long.kind, "too-large");
  assertEquals(
    long.message,
    "Cannot read the document as its length must be at most 262144 characters " +
      "(AMALGAM_MAX_DOCUMENT): current value is 300000",
  );
  const type = await caughtProblem(() => parseDocument("{}", "text/html"));
  assertEquals(type.kind, "unsupported-media-type");
});
