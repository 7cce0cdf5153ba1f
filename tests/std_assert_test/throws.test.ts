import { assertEquals, AssertionError, assertRejects, assertThrows } from "@std/assert";

function throwing(error: unknown): () => never {
  return () => {
    throw error;
  };
}

/** The message of an assertion that must fail, whether at once or later. */
async function refused(run: () => unknown): Promise<string> {
  try {
    await run();
  } catch (error) {
    if (error instanceof AssertionError) return error.message;
    throw error;
  }
  throw new Error(`The assertion held though it must not: ${run}`);
}

Deno.test("assertThrows() and assertRejects() answer the error", async () => {
  const error = new RangeError("too far");
  assertEquals(assertThrows(throwing(error), RangeError, "far"), error);
  assertEquals(assertThrows(throwing(5)), 5);
  assertEquals(await assertRejects(() => Promise.reject(error), Error, "far"), error);
  assertEquals(await assertRejects(() => Promise.reject(undefined)), undefined);
});

Deno.test("assertThrows() and assertRejects() refuse anything else", async () => {
  const error = new RangeError("too far");
  const cases: [() => unknown, string][] = [
    [() => assertThrows(() => 1, "note"), "Expected the function to throw: note"],
    [() => assertThrows(() => 1, RangeError), "Expected the function to throw."],
    [() => assertThrows(throwing(5), Error), "Expected an error to be thrown: current value is 5."],
    [
      () => assertThrows(throwing(error), TypeError, "far", "note"),
      'Expected a TypeError, but it was a RangeError saying "too far": note',
    ],
    [
      () => assertThrows(throwing(error), RangeError, "near"),
      'Expected an error message to contain "near": current value is "too far".',
    ],
    [() => assertRejects(() => Promise.resolve(), "note"), "Expected the function to reject: note"],
    [
      () => assertRejects(() => Promise.reject(error), TypeError),
      'Expected a TypeError, but it was a RangeError saying "too far"',
    ],
    [
      () => assertRejects(throwing(error), RangeError),
      "Expected the function to reject: it throws before it answers a promise.",
    ],
  ];
  for (const [run, message] of cases) assertEquals(await refused(run), message);
});
