/**
 * Operators whose results carry no gradient by nature.
 *
 * @module
 */

/** The walk stops silently at these. */
export const STOPS: ReadonlySet<string> = new Set(["Shape", "Size"]);
