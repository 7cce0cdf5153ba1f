/**
 * The error of an assertion that does not hold.
 *
 * @module
 */

/** Thrown by every assertion of this package that does not hold. */
export class AssertionError extends Error {
  /** @param message What was expected and what was found. */
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "AssertionError";
  }
}

/**
 * Throws an {@linkcode AssertionError} that ends with the caller's note, if there is one.
 *
 * @param note The assertion's optional `msg`.
 */
export function refuse(
  message: string,
  note?: string,
  options?: ErrorOptions,
): never {
  throw new AssertionError(
    note === undefined ? `${message}.` : `${message}: ${note}`,
    options,
  );
}
