/**
 * Adds header fields to an answer that is already made.
 *
 * @module
 */
import type { Context } from "hono";

/** Sets fields of the answer, whoever made it. */
export function setHeaders(context: Context, fields: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(fields)) {
    try {
      context.res.headers.set(name, value);
    } catch {
      // Hono makes a copy for headers that cannot be changed, such as those of a redirect. Not for all:
      // the copy of a short body is a stream and has lost its length.
      context.header(name, value);
    }
  }
}
