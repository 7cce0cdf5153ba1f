/**
 * Composite operators that are written out before the walk.
 *
 * @module
 */
import type { Expansions } from "../rule.ts";

/** The table. */
export const EXPANSIONS: Expansions = {};
