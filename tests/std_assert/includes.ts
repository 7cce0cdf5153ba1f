/**
 * Assertions about parts of texts, lists and objects.
 *
 * @module
 */
import { refuse } from "./assertion_error.ts";
import { equal, ownEnumerable } from "./equal.ts";
import { difference, show, showShort } from "./show.ts";

/** Checks that a text contains another. */
export function assertStringIncludes(
  actual: string,
  expected: string,
  msg?: string,
): void {
  if (actual.includes(expected)) return;
  refuse(
    `Expected ${showShort(actual)} to contain ${showShort(expected)}`,
    msg,
  );
}

/** Checks that a text matches an expression. */
export function assertMatch(
  actual: string,
  expected: RegExp,
  msg?: string,
): void {
  if (!expected.test(actual)) {
    refuse(`Expected ${showShort(actual)} to match ${expected}`, msg);
  }
}

/** Checks that a text does not match an expression. */
export function assertNotMatch(
  actual: string,
  expected: RegExp,
  msg?: string,
): void {
  if (expected.test(actual)) {
    refuse(`Expected ${showShort(actual)} not to match ${expected}`, msg);
  }
}

/** Checks that every expected item deeply equals some item of a list. */
export function assertArrayIncludes<T>(
  actual: ArrayLike<T>,
  expected: ArrayLike<T>,
  msg?: string,
): void {
  const items = Array.from(actual);
  const missing = Array.from(expected).filter((item) => !items.some((other) => equal(item, other)));
  if (missing.length === 0) return;
  refuse(`Expected ${showShort(items)} to contain ${showShort(missing)}`, msg);
}

/**
 * Checks that an object has at least the expected properties, at any depth; further properties and
 * further items at the end of a list are let through, and classes are not compared.
 */
export function assertObjectMatch(
  actual: Record<PropertyKey, unknown>,
  expected: Record<PropertyKey, unknown>,
  msg?: string,
): void {
  if (matches(actual, expected, new Map())) return;
  refuse(
    `The object lacks expected properties:\n${difference(show(actual), show(expected))}\n`,
    msg,
  );
}

function matches(
  actual: unknown,
  expected: unknown,
  seen: Map<object, object>,
): boolean {
  if (!isNode(actual) || !isNode(expected)) return equal(actual, expected);
  if (Array.isArray(actual) !== Array.isArray(expected)) return false;
  if (seen.get(expected) === actual) return true;
  seen.set(expected, actual);
  if (actual instanceof Map && expected instanceof Map) {
    return [...expected].every(([key, value]) =>
      actual.has(key) && matches(actual.get(key), value, seen)
    );
  }
  if (actual instanceof Set && expected instanceof Set) {
    return [...expected].every((item) => actual.has(item));
  }
  return ownEnumerable(expected).every((key) =>
    key in actual &&
    matches(Reflect.get(actual, key), Reflect.get(expected, key), seen)
  );
}

/** Whether a value is looked into; dates, expressions and binary data are compared as a whole. */
function isNode(value: unknown): value is object {
  return typeof value === "object" && value !== null &&
    !ArrayBuffer.isView(value) &&
    !(value instanceof Date) && !(value instanceof RegExp) &&
    !(value instanceof ArrayBuffer);
}
