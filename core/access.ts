/**
 * Who may do what: scopes, and bearer keys by their digests.
 *
 * @module
 */

/** What a key may allow: reading, merging and storing, tuning, and everything. */
export const SCOPES = ["read", "merge", "tune", "admin"] as const;

/** One scope; `admin` includes the others. */
export type Scope = typeof SCOPES[number];

/** An accepted key. */
export interface AccessKey {
  /** SHA-256 of the key, 64 lower-case hexadecimal digits. */
  readonly digest: string;
  readonly scopes: readonly Scope[];
}

/** What is wrong with an entry of the list of keys, or undefined; the entry itself is not shown. */
export function accessKeyFault(entry: string): string | undefined {
  const [digest = "", scopes, ...rest] = entry.split(":");
  if (!/^[0-9a-f]{64}$/.test(digest) || rest.length > 0) {
    return "the SHA-256 of each key as 64 hexadecimal digits, separated by commas";
  }
  if (scopes === undefined || scopes.split("+").every(isScope)) return undefined;
  return `scopes behind a digest as in digest:read+merge, of ${SCOPES.join(", ")}`;
}

/**
 * Reads an entry of the list of keys: a digest, or `digest:scope+scope`; without a scope it allows everything.
 *
 * @throws {RangeError} If the entry is malformed, see {@linkcode accessKeyFault}.
 */
export function parseAccessKey(entry: string): AccessKey {
  const fault = accessKeyFault(entry);
  if (fault !== undefined) throw new RangeError(`Cannot use the keys as they must list ${fault}`);
  const [digest = "", scopes] = entry.split(":");
  return { digest, scopes: scopes === undefined ? SCOPES : scopes.split("+").filter(isScope) };
}

/** Whether scopes include one; `admin` includes all. */
export function allows(scopes: readonly Scope[], needed: Scope): boolean {
  return scopes.includes(needed) || scopes.includes("admin");
}

function isScope(text: string): text is Scope {
  return (SCOPES as readonly string[]).includes(text);
}
