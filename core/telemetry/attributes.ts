/**
 * What spans and instruments may say.
 *
 * @module
 */

/** Names and values. Never what callers write: no file, tensor or task names, no queries, no documents. */
export type Attributes = Readonly<Record<string, string | number | boolean>>;

/** Under which name tracers and meters are registered. */
export const SCOPE = "amalgam";
