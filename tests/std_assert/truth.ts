/**
 * Assertions about a single value, and failures without a condition.
 *
 * @module
 */
import { AssertionError, refuse } from "./assertion_error.ts";
import { showShort } from "./show.ts";

/** Checks that a value is truthy. */
export function assert(expr: unknown, msg = ""): asserts expr {
  if (!expr) throw new AssertionError(msg);
}

/** What counts as false. */
export type Falsy = false | 0 | 0n | "" | null | undefined;

/** Checks that a value is falsy. */
export function assertFalse(
  expr: unknown,
  msg?: string,
): asserts expr is Falsy {
  if (expr) {
    refuse(`Expected a falsy value: current value is ${showShort(expr)}`, msg);
  }
}

/** Checks that a value is neither null nor undefined. */
export function assertExists<T>(
  actual: T,
  msg?: string,
): asserts actual is NonNullable<T> {
  if (actual === undefined || actual === null) {
    refuse(
      `Expected a value other than null and undefined: current value is ${actual}`,
      msg,
    );
  }
}

/** Checks that a value is an instance of a class. */
export function assertInstanceOf<T>(
  actual: unknown,
  expectedType: abstract new (...parameters: never[]) => T,
  msg?: string,
): asserts actual is T {
  if (actual instanceof expectedType) return;
  refuse(
    `Expected an instance of ${expectedType.name}: current value is ${showShort(actual)}`,
    msg,
  );
}

/** Fails always. */
export function fail(msg?: string): never {
  refuse("Failed assertion", msg);
}

/** Fails, as this place must not be reached. */
export function unreachable(msg?: string): never {
  refuse("Unreachable code was reached", msg);
}
