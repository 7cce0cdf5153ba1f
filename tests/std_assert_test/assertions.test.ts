import * as std from "@std/assert";

/** Runs an assertion that must not hold, and answers its message. */
function refused(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof std.AssertionError) return error.message;
    throw error;
  }
  throw new Error(`The assertion held though it must not: ${run}`);
}

Deno.test("Assertions that hold return", async () => {
  std.assert("a");
  std.assertFalse(0);
  std.assertExists(0);
  std.assertEquals({ a: [0] }, { a: [-0] });
  std.assertNotEquals({ a: 1 }, { a: 2 });
  std.assertStrictEquals(NaN, NaN);
  std.assertNotStrictEquals({}, {});
  std.assertAlmostEquals(1, 1 + 1e-8);
  std.assertAlmostEquals(1, 1.4, 0.5);
  std.assertAlmostEquals(Infinity, Infinity);
  std.assertMatch("abc", /b/);
  std.assertNotMatch("abc", /d/);
  std.assertStringIncludes("abc", "bc");
  std.assertArrayIncludes([{ a: 1 }, { a: 2 }], [{ a: 2 }]);
  std.assertInstanceOf(new TypeError(), Error);
  std.assertGreater(2, 1);
  std.assertGreaterOrEqual(2, 2);
  std.assertLess("a", "b");
  std.assertLessOrEqual(2n, 2n);
  std.assertThrows(() => std.fail());
  await std.assertRejects(() => Promise.reject(1));
});

Deno.test("Assertions that do not hold throw an AssertionError with the values", () => {
  const cases: [() => unknown, string[]][] = [
    [() => std.assert(0, "note"), ["note"]],
    [() => std.assertFalse([7]), ["7"]],
    [() => std.assertExists(null), ["null"]],
    [() => std.assertNotEquals([1], [1]), ["1"]],
    [() => std.assertStrictEquals({}, {}), ["the same structure"]],
    [() => std.assertStrictEquals(0, -0), ["-   0", "+   -0"]],
    [() => std.assertNotStrictEquals("x", "x"), ['"x"']],
    [() => std.assertAlmostEquals(1, 1.5, 0.25), ["within 0.25 of 1.5", "distance is 0.5"]],
    [() => std.assertAlmostEquals(NaN, 1), ["NaN"]],
    [() => std.assertMatch("abc", /d/), ["abc", "/d/"]],
    [() => std.assertNotMatch("abc", /b/), ["abc", "/b/"]],
    [() => std.assertStringIncludes("abc", "d"), ["abc", '"d"']],
    [() => std.assertArrayIncludes([1, 2], [2, 3]), ["[ 3 ]"]],
    [() => std.assertInstanceOf(1, Error), ["Error", "1"]],
    [() => std.assertGreater(1, 1), ["1 > 1"]],
    [() => std.assertGreaterOrEqual(1, 2), ["1 >= 2"]],
    [() => std.assertLess(NaN, 1), ["NaN < 1"]],
    [() => std.assertLessOrEqual(2, 1), ["2 <= 1"]],
    [() => std.fail("why"), ["why"]],
    [() => std.unreachable("here"), ["here"]],
  ];
  for (const [run, parts] of cases) {
    const message = refused(run);
    for (const part of parts) std.assertStringIncludes(message, part);
  }
});

Deno.test("assertEquals() shows the lines that differ and some around them", () => {
  const values = Array.from({ length: 40 }, (_, i) => i);
  const message = refused(() => std.assertEquals(values, values.with(20, 99), "note"));
  for (const part of ["-     20,\n", "+     99,\n", "    19,\n", "    21,\n", ": note"]) {
    std.assertStringIncludes(message, part);
  }
  std.assertFalse(message.includes(" 5,\n"), message);
});

Deno.test("assertObjectMatch() looks for the expected properties at any depth", () => {
  const actual = {
    a: { b: [{ c: 1, d: 2 }, 3], e: new Set([1, 2]) },
    f: /x/,
    g: new Map([["k", 1]]),
  };
  std.assertObjectMatch(actual, { a: { b: [{ c: 1 }] } });
  std.assertObjectMatch(actual, { a: { e: new Set([2]) }, f: /x/, g: new Map([["k", 1]]) });
  for (
    const expected of [
      { a: { b: [{ c: 2 }] } },
      { a: { b: [{ c: 1 }, 3, 4] } },
      { h: undefined },
      { a: null },
      { f: /y/ },
      { a: { e: new Set([3]) } },
      { g: new Map([["k", 2]]) },
    ]
  ) refused(() => std.assertObjectMatch(actual, expected));
});
