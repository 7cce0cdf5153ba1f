/**
 * Takes secrets and data out of what is logged.
 *
 * @module
 */

const MASK = "[redacted]";
/** Longer texts are data, or are of no use in a line of a log. */
const LONGEST = 8192;
const DEEPEST = 6;
const MOST = 100;

/** Names of members and header fields whose value is never logged. */
const SECRET_NAME =
  /(?:^|[-_.])(?:authorization|cookie|token|secret|password|passwd|pwd|signature|credentials?|api[-_]?key|keys?|headers|body|bytes|data)$|(?:token|secret|password|signature|apikey|authorization|cookie)$/i;

/** The user, query and fragment of an address of any scheme; the rest is left. */
const ADDRESS = /\b([a-z][a-z\d+.-]*:\/\/)([^\s"'<>`]*)/gi;
const SCHEME = /\b(bearer|basic|digest|aws4-hmac-sha256|token)(\s+|%20)(?!realm=)[^\s"',;<>]+/gi;
/** `name=value` and `name: value` outside of addresses. */
const ASSIGNED =
  /((?:authorization|cookie|token|secret|password|passwd|signature|credential|api[-_]?key|x-amz-[\w-]+|x-goog-[\w-]+|sig)["']?\s*[=:]\s*)("[^"]*"|'[^']*'|[^\s,;&"'<>]+)/gi;
/** Keys that are known by their form: hub, cloud and code host tokens, JSON web tokens. */
const TOKENS =
  /\b(?:hf_[A-Za-z0-9]{8,}|sk-[\w-]{16,}|gh[pousr]_[A-Za-z0-9]{16,}|A[KS]IA[A-Z0-9]{16}|eyJ[\w-]{8,}\.[\w-]+\.[\w-]*)/g;
/** Long runs of base64 or hexadecimal digits are data or keys; a SHA-256 is not long enough. */
const ENCODED = /[A-Za-z0-9+/=_-]{129,}/g;

/**
 * A text without bearer keys, credentials and queries of addresses (those of presigned ones hold keys), tokens of
 * known forms and encoded data; cut where it is long.
 */
export function redact(text: string): string {
  const short = text.length > LONGEST
    ? `${text.slice(0, LONGEST)}… (${text.length} characters)`
    : text;
  return short
    .replace(ADDRESS, (_, scheme: string, rest: string) => scheme + address(rest))
    .replace(SCHEME, (_, scheme: string, space: string) => `${scheme}${space}${MASK}`)
    .replace(
      ASSIGNED,
      (all, name: string, value: string) =>
        value.includes(MASK) || /^["']?(?:bearer|basic)$/i.test(value) ? all : name + MASK,
    )
    .replace(TOKENS, MASK)
    .replace(ENCODED, MASK);
}

/** Of `user:password@host/path?query#fragment`: host and path. */
function address(rest: string): string {
  const [, authority = "", path = "", query = ""] = /^([^/?#]*)([^?#]*)(.*)$/s.exec(rest) ?? [];
  const host = authority.slice(authority.lastIndexOf("@") + 1);
  return host + path + (query === "" ? "" : `${query[0]}${MASK}`);
}

/**
 * Plain data for a line of a log: texts as {@linkcode redact} leaves them, members with secret names masked,
 * binary data as its size, errors as their stack, deep and long structures cut.
 */
export function redactValue(value: unknown, depth = 0): unknown {
  if (typeof value === "string") return redact(value);
  if (typeof value === "bigint") return String(value);
  if (typeof value !== "object" || value === null) return value;
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) {
    return `[${value.byteLength} bytes]`;
  }
  if (value instanceof Error) return redact(value.stack ?? String(value));
  if (value instanceof URL) return redact(value.href);
  if (value instanceof Headers || value instanceof Request || value instanceof Response) {
    return MASK;
  }
  if (value instanceof Map) return redactValue(Object.fromEntries(value), depth);
  if (depth >= DEEPEST) return "…";
  if (Array.isArray(value)) {
    const items = value.slice(0, MOST).map((item) => redactValue(item, depth + 1));
    return value.length > MOST ? [...items, `… (${value.length} items)`] : items;
  }
  const entries = Object.entries(value).slice(0, MOST).map(([name, member]) => [
    name,
    SECRET_NAME.test(name) && isText(member) ? MASK : redactValue(member, depth + 1),
  ]);
  return Object.fromEntries(entries);
}

/** A number or a flag under such a name, such as `bytes: 5`, is no secret. */
function isText(member: unknown): boolean {
  return typeof member === "string" || (typeof member === "object" && member !== null);
}
