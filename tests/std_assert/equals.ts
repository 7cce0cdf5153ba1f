/**
 * Assertions about deep and strict equality.
 *
 * @module
 */
import { refuse } from "./assertion_error.ts";
import { equal } from "./equal.ts";
import { difference, show, showShort } from "./show.ts";

/** Checks that two values are deeply equal, see `equal`. */
export function assertEquals<T>(actual: T, expected: T, msg?: string): void {
  if (equal(actual, expected)) return;
  refuse(
    `Values are not equal:\n${difference(show(actual), show(expected))}\n`,
    msg,
  );
}

/** Checks that two values are not deeply equal. */
export function assertNotEquals<T>(actual: T, expected: T, msg?: string): void {
  if (equal(actual, expected)) {
    refuse(`Expected another value than ${showShort(actual)}`, msg);
  }
}

/** Checks that two values are the same by `Object.is`. */
export function assertStrictEquals<T>(
  actual: unknown,
  expected: T,
  msg?: string,
): asserts actual is T {
  if (Object.is(actual, expected)) return;
  const [left, right] = [show(actual), show(expected)];
  refuse(
    left === right
      ? `Values have the same structure but are not the same: ${left}`
      : `Values are not strictly equal:\n${difference(left, right)}\n`,
    msg,
  );
}

/** Checks that two values are not the same by `Object.is`. */
export function assertNotStrictEquals<T>(
  actual: T,
  expected: T,
  msg?: string,
): void {
  if (Object.is(actual, expected)) {
    refuse(`Expected another value than ${showShort(actual)}`, msg);
  }
}
