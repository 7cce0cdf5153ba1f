/**
 * A stand-in for JSR's `@std/assert` on networks where JSR cannot be reached: the functions that this
 * project's tests use, with the same signatures and meaning.
 *
 * @module
 */
export { AssertionError } from "./assertion_error.ts";
export { equal } from "./equal.ts";
export * from "./assertions.ts";
export * from "./throws.ts";
