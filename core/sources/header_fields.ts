/**
 * Header fields that a document asks to send with the requests for a source.
 *
 * @module
 */

import { joinPath, show } from "../merge/faults.ts";
import type { Fault } from "../problem.ts";

/** RFC 9110, section 5.6.2. */
const TOKEN = /^[\w!#$%&'*+.^`|~-]+$/;
/** Visible characters, spaces and the upper half of Latin-1 (RFC 9110, section 5.5). */
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/**
 * The fault of fields of which no request can carry one; undefined if all can be sent. Without this check such a
 * request would fail like one to a server that is down, and be tried again.
 *
 * @param path Of the map that holds the fields under `headers`.
 */
export function headersFault(
  headers: Readonly<Record<string, string>>,
  path: string,
): Fault | undefined {
  const unsendable = unsendableHeader(headers);
  if (unsendable === undefined) return undefined;
  return {
    path: joinPath(path, "headers"),
    // Without the value, which may be a key.
    message: "Cannot use headers as each must be a header field that can be sent: " +
      `current value is ${show(unsendable)}`,
  };
}

/** The first name that no request can carry, or that stands with such a value. */
function unsendableHeader(headers: Readonly<Record<string, string>>): string | undefined {
  return Object.entries(headers).find(([name, value]) => !TOKEN.test(name) || !VALUE.test(value))
    ?.[0];
}
