/**
 * A stand-in for JSR's `@std/assert` on networks where JSR cannot be reached: the same names,
 * signatures and meaning, written for this project.
 *
 * @module
 */
export { AssertionError } from "./assertion_error.ts";
export { equal } from "./equal.ts";
export {
  assertEquals,
  assertNotEquals,
  assertNotStrictEquals,
  assertStrictEquals,
} from "./equals.ts";
export {
  assertArrayIncludes,
  assertMatch,
  assertNotMatch,
  assertObjectMatch,
  assertStringIncludes,
} from "./includes.ts";
export {
  assertAlmostEquals,
  assertGreater,
  assertGreaterOrEqual,
  assertLess,
  assertLessOrEqual,
} from "./order.ts";
export { assertRejects, assertThrows, type ErrorClass } from "./throws.ts";
export {
  assert,
  assertExists,
  assertFalse,
  assertInstanceOf,
  fail,
  type Falsy,
  unreachable,
} from "./truth.ts";
