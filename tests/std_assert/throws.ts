import { AssertionError } from "./assertion_error.ts";
import { show } from "./assertions.ts";

// deno-lint-ignore no-explicit-any
type ErrorClass<E extends Error> = abstract new (...parameters: any[]) => E;

function checkError<E extends Error>(
  error: unknown,
  kind: ErrorClass<E> | undefined,
  includes: string | undefined,
  note: string | undefined,
): E {
  const suffix = note === undefined ? "" : `: ${note}`;
  if (!(error instanceof Error)) {
    throw new AssertionError(`A non-Error was thrown: ${show(error)}${suffix}`);
  }
  if (kind && !(error instanceof kind)) {
    throw new AssertionError(
      `Expected a ${kind.name}, got ${error.constructor.name}: ${error.message}${suffix}`,
      { cause: error },
    );
  }
  if (includes !== undefined && !error.message.includes(includes)) {
    throw new AssertionError(
      `Expected a message with ${show(includes)}, got ${
        show(error.message)
      }${suffix}`,
    );
  }
  return error as E;
}

/** The function throws; answers the error. */
export function assertThrows<E extends Error = Error>(
  run: () => unknown,
  kind?: ErrorClass<E> | string,
  includes?: string,
  note?: string,
): E {
  let thrown: { error: unknown } | undefined;
  try {
    run();
  } catch (error) {
    thrown = { error };
  }
  if (typeof kind === "string") {
    return assertThrown<E>(thrown, undefined, undefined, kind);
  }
  return assertThrown(thrown, kind, includes, note);
}

/** The function's promise is rejected; answers the error. */
export async function assertRejects<E extends Error = Error>(
  run: () => PromiseLike<unknown>,
  kind?: ErrorClass<E> | string,
  includes?: string,
  note?: string,
): Promise<E> {
  let thrown: { error: unknown } | undefined;
  const promise = run();
  try {
    await promise;
  } catch (error) {
    thrown = { error };
  }
  if (typeof kind === "string") {
    return assertThrown<E>(thrown, undefined, undefined, kind);
  }
  return assertThrown(thrown, kind, includes, note);
}

function assertThrown<E extends Error>(
  thrown: { error: unknown } | undefined,
  kind: ErrorClass<E> | undefined,
  includes: string | undefined,
  note: string | undefined,
): E {
  if (!thrown) {
    throw new AssertionError(
      `Expected a failure${note === undefined ? "" : `: ${note}`}`,
    );
  }
  return checkError(thrown.error, kind, includes, note);
}
