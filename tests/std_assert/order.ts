/**
 * Assertions about the order and distance of values.
 *
 * @module
 */
import { refuse } from "./assertion_error.ts";
import { showShort } from "./show.ts";

/** Checks `actual > expected`. */
export function assertGreater<T>(actual: T, expected: T, msg?: string): void {
  if (!(actual > expected)) refuse(expectation(actual, ">", expected), msg);
}

/** Checks `actual >= expected`. */
export function assertGreaterOrEqual<T>(
  actual: T,
  expected: T,
  msg?: string,
): void {
  if (!(actual >= expected)) refuse(expectation(actual, ">=", expected), msg);
}

/** Checks `actual < expected`. */
export function assertLess<T>(actual: T, expected: T, msg?: string): void {
  if (!(actual < expected)) refuse(expectation(actual, "<", expected), msg);
}

/** Checks `actual <= expected`. */
export function assertLessOrEqual<T>(
  actual: T,
  expected: T,
  msg?: string,
): void {
  if (!(actual <= expected)) refuse(expectation(actual, "<=", expected), msg);
}

/**
 * Checks that two numbers lie close together.
 *
 * @param tolerance Largest allowed distance; 1e-7 of the expected value if it is finite, else 1e-7.
 */
export function assertAlmostEquals(
  actual: number,
  expected: number,
  tolerance?: number,
  msg?: string,
): void {
  if (Object.is(actual, expected)) return;
  const distance = Math.abs(expected - actual);
  const limit = tolerance ??
    (Number.isFinite(expected) ? Math.abs(expected * 1e-7) : 1e-7);
  if (distance <= limit) return;
  refuse(
    `Expected ${actual} to lie within ${limit} of ${expected}: current distance is ${distance}`,
    msg,
  );
}

function expectation(
  actual: unknown,
  relation: string,
  expected: unknown,
): string {
  return `Expected ${showShort(actual)} ${relation} ${showShort(expected)}`;
}
