/**
 * Header fields that a document asks to send with the requests for a source.
 *
 * @module
 */

/** RFC 9110, section 5.6.2. */
const TOKEN = /^[\w!#$%&'*+.^`|~-]+$/;
/** Visible characters, spaces and the upper half of Latin-1 (RFC 9110, section 5.5). */
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/**
 * The first name that no request can carry, or that stands with such a value; undefined if all can be sent. Without
 * this check such a request would fail like one to a server that is down, and be tried again.
 */
export function unsendableHeader(headers: Readonly<Record<string, string>>): string | undefined {
  return Object.entries(headers).find(([name, value]) => !TOKEN.test(name) || !VALUE.test(value))
    ?.[0];
}
