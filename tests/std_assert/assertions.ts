import { AssertionError } from "./assertion_error.ts";
import { equal } from "./equal.ts";

/** Text of a value for a message. */
export function show(value: unknown): string {
  return Deno.inspect(value, {
    depth: 8,
    strAbbreviateSize: 2000,
    iterableLimit: 60,
  });
}

function check(holds: boolean, message: string, note?: string): asserts holds {
  if (!holds) {
    throw new AssertionError(
      note === undefined ? message : `${message}: ${note}`,
    );
  }
}

export function assert(value: unknown, note = ""): asserts value {
  if (!value) throw new AssertionError(note);
}

export function assertFalse(
  value: unknown,
  note?: string,
): asserts value is false {
  check(!value, `Expected a falsy value, got ${show(value)}`, note);
}

export function assertExists<T>(
  value: T,
  note?: string,
): asserts value is NonNullable<T> {
  check(
    value !== undefined && value !== null,
    `Expected a value, got ${value}`,
    note,
  );
}

export function assertEquals<T>(actual: T, expected: T, note?: string): void {
  if (equal(actual, expected)) return;
  const [got, wanted] = [show(actual), show(expected)];
  check(false, `Values are not equal\n${difference(got, wanted)}`, note);
}

export function assertNotEquals<T>(
  actual: T,
  expected: T,
  note?: string,
): void {
  check(
    !equal(actual, expected),
    `Expected values that differ, got ${show(actual)}`,
    note,
  );
}

export function assertStrictEquals<T>(
  actual: unknown,
  expected: T,
  note?: string,
): asserts actual is T {
  check(
    Object.is(actual, expected),
    `Expected ${show(actual)} to be ${show(expected)}`,
    note,
  );
}

export function assertNotStrictEquals<T>(
  actual: T,
  expected: T,
  note?: string,
): void {
  check(
    !Object.is(actual, expected),
    `Expected another value than ${show(actual)}`,
    note,
  );
}

export function assertAlmostEquals(
  actual: number,
  expected: number,
  tolerance?: number,
  note?: string,
): void {
  if (Object.is(actual, expected)) return;
  const allowed = tolerance ??
    (Number.isFinite(expected) ? Math.abs(expected * 1e-7) : 1e-7);
  const apart = Math.abs(actual - expected);
  check(
    apart <= allowed,
    `Expected ${actual} within ${allowed} of ${expected}, off by ${apart}`,
    note,
  );
}

export function assertMatch(
  actual: string,
  expected: RegExp,
  note?: string,
): void {
  check(
    expected.test(actual),
    `Expected ${show(actual)} to match ${expected}`,
    note,
  );
}

export function assertNotMatch(
  actual: string,
  expected: RegExp,
  note?: string,
): void {
  check(
    !expected.test(actual),
    `Expected ${show(actual)} not to match ${expected}`,
    note,
  );
}

export function assertStringIncludes(
  actual: string,
  expected: string,
  note?: string,
): void {
  check(
    actual.includes(expected),
    `Expected ${show(actual)} to contain ${show(expected)}`,
    note,
  );
}

export function assertArrayIncludes<T>(
  actual: ArrayLike<T>,
  expected: ArrayLike<T>,
  note?: string,
): void {
  const items = Array.from(actual);
  const missing = Array.from(expected).filter((item) =>
    !items.some((other) => equal(item, other))
  );
  check(
    missing.length === 0,
    `Expected ${show(actual)} to contain ${show(missing)}`,
    note,
  );
}

// deno-lint-ignore no-explicit-any
type AnyConstructor = abstract new (...parameters: any[]) => unknown;

export function assertInstanceOf<T extends AnyConstructor>(
  actual: unknown,
  expected: T,
  note?: string,
): asserts actual is InstanceType<T> {
  check(
    actual instanceof expected,
    `Expected an instance of ${expected.name}, got ${show(actual)}`,
    note,
  );
}

export function assertGreater<T>(actual: T, expected: T, note?: string): void {
  check(
    actual > expected,
    `Expected ${show(actual)} > ${show(expected)}`,
    note,
  );
}

export function assertGreaterOrEqual<T>(
  actual: T,
  expected: T,
  note?: string,
): void {
  check(
    actual >= expected,
    `Expected ${show(actual)} >= ${show(expected)}`,
    note,
  );
}

export function assertLess<T>(actual: T, expected: T, note?: string): void {
  check(
    actual < expected,
    `Expected ${show(actual)} < ${show(expected)}`,
    note,
  );
}

export function assertLessOrEqual<T>(
  actual: T,
  expected: T,
  note?: string,
): void {
  check(
    actual <= expected,
    `Expected ${show(actual)} <= ${show(expected)}`,
    note,
  );
}

/** Every property of `expected` stands in `actual` with that value, at any depth. */
export function assertObjectMatch(
  actual: Record<PropertyKey, unknown>,
  expected: Record<PropertyKey, unknown>,
  note?: string,
): void {
  check(
    contains(actual, expected),
    `Expected ${show(actual)} to match ${show(expected)}`,
    note,
  );
}

function contains(actual: unknown, expected: unknown): boolean {
  if (
    typeof expected !== "object" || expected === null || Array.isArray(expected)
  ) {
    return equal(actual, expected);
  }
  return typeof actual === "object" && actual !== null &&
    Reflect.ownKeys(expected).every((key) =>
      contains(
        (actual as Record<PropertyKey, unknown>)[key],
        (expected as Record<PropertyKey, unknown>)[key],
      )
    );
}

export function fail(note?: string): never {
  throw new AssertionError(note === undefined ? "Failed" : `Failed: ${note}`);
}

export function unreachable(note?: string): never {
  throw new AssertionError(
    note === undefined ? "Unreachable" : `Unreachable: ${note}`,
  );
}

/** The lines of both texts, with those that differ marked. */
function difference(actual: string, expected: string): string {
  const [left, right] = [actual.split("\n"), expected.split("\n")];
  const lines: string[] = [];
  for (
    let i = 0;
    i < Math.max(left.length, right.length) && lines.length < 80;
    i++
  ) {
    if (left[i] === right[i]) lines.push(`    ${left[i]}`);
    else {
      if (left[i] !== undefined) lines.push(`  - ${left[i]}`);
      if (right[i] !== undefined) lines.push(`  + ${right[i]}`);
    }
  }
  return `  - actual, + expected\n${lines.join("\n")}`;
}
