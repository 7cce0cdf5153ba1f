/**
 * @module
 */

/** amalgam's version, as `deno.json` has it. */
export const VERSION = "0.1.0";
