/**
 * Assertions about errors.
 *
 * @module
 */
import { AssertionError, refuse } from "./assertion_error.ts";
import { showShort } from "./show.ts";

/** A class of errors, abstract ones included. */
export type ErrorClass<E extends Error> = abstract new (
  ...parameters: never[]
) => E;

/** Checks that a function throws, and answers what it throws. */
export function assertThrows(fn: () => unknown, msg?: string): unknown;
/** Checks that a function throws an error of a class with a text in its message, and answers it. */
export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  ErrorClass: ErrorClass<E>,
  msgIncludes?: string,
  msg?: string,
): E;
export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  classOrNote?: ErrorClass<E> | string,
  includes?: string,
  msg?: string,
): unknown {
  const { ErrorClass, note } = expectation(classOrNote, msg);
  let error: unknown;
  try {
    fn();
  } catch (thrown) {
    error = thrown;
    return ErrorClass ? checkError(error, ErrorClass, includes, note) : error;
  }
  refuse("Expected the function to throw", note);
}

/** Checks that a function's promise is rejected, and answers the reason. */
export function assertRejects(
  fn: () => PromiseLike<unknown>,
  msg?: string,
): Promise<unknown>;
/** Checks that a promise is rejected with an error of a class with a text in its message. */
export function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  ErrorClass: ErrorClass<E>,
  msgIncludes?: string,
  msg?: string,
): Promise<E>;
export async function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  classOrNote?: ErrorClass<E> | string,
  includes?: string,
  msg?: string,
): Promise<unknown> {
  const { ErrorClass, note } = expectation(classOrNote, msg);
  let promise: PromiseLike<unknown>;
  try {
    promise = fn();
  } catch (cause) {
    refuse(
      "Expected the function to reject: it throws before it answers a promise",
      note,
      {
        cause,
      },
    );
  }
  if (typeof promise?.then !== "function") {
    refuse(
      `Expected the function to answer a promise: current value is ${promise}`,
      note,
    );
  }
  try {
    await promise;
  } catch (error) {
    return ErrorClass ? checkError(error, ErrorClass, includes, note) : error;
  }
  refuse("Expected the function to reject", note);
}

function expectation<E extends Error>(
  classOrNote: ErrorClass<E> | string | undefined,
  msg: string | undefined,
): { ErrorClass: ErrorClass<E> | undefined; note: string | undefined } {
  return typeof classOrNote === "string"
    ? { ErrorClass: undefined, note: classOrNote }
    : { ErrorClass: classOrNote, note: msg };
}

function checkError<E extends Error>(
  error: unknown,
  ErrorClass: ErrorClass<E>,
  includes: string | undefined,
  note: string | undefined,
): E {
  if (!(error instanceof Error)) {
    refuse(
      `Expected an error to be thrown: current value is ${showShort(error)}`,
      note,
    );
  }
  if (!(error instanceof ErrorClass)) {
    const text = `Expected a ${ErrorClass.name}, but it was a ${error.constructor.name} saying ` +
      JSON.stringify(error.message);
    throw new AssertionError(note === undefined ? text : `${text}: ${note}`, {
      cause: error,
    });
  }
  if (includes !== undefined && !error.message.includes(includes)) {
    refuse(
      `Expected an error message to contain ${JSON.stringify(includes)}: current value is ` +
        JSON.stringify(error.message),
      note,
      { cause: error },
    );
  }
  return error;
}
