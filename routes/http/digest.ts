/**
 * Digest fields (RFC 9530), SHA-256 only.
 *
 * @module
 */
import { Problem } from "../../core/problem.ts";

/**
 * The SHA-256 that `Repr-Digest` or `Content-Digest` announces, 32 bytes, or undefined.
 *
 * @throws {Problem} `invalid-request` if a field is malformed, or the two disagree.
 */
export function announcedDigest(headers: Headers): Uint8Array | undefined {
  const digests = ["repr-digest", "content-digest"].flatMap((name) => {
    const value = headers.get(name);
    const found = value === null ? null : /(?:^|,)\s*sha-256=:([A-Za-z0-9+/=]*):/i.exec(value);
    if (value === null || (!found && !/sha-256/i.test(value))) return [];
    return [decoded(name, found?.[1], value)];
  });
  const [first, second] = digests;
  if (first && second && first.toHex() !== second.toHex()) {
    throw new Problem(
      "invalid-request",
      `Cannot check the digest as Repr-Digest and Content-Digest differ: current value is ${second.toHex()}`,
    );
  }
  return first;
}

function decoded(name: string, text: string | undefined, value: string): Uint8Array {
  try {
    const digest = Uint8Array.fromBase64(text ?? "");
    if (digest.length === 32) return digest;
  } catch {
    // Said below.
  }
  throw new Problem(
    "invalid-request",
    `Cannot read the digest as ${name} must be sha-256=:BASE64: of 32 bytes: ` +
      `current value is ${value.slice(0, 100)}`,
  );
}

/** The field's value for an id `sha256:HEX`. */
export function digestField(id: string): string {
  return `sha-256=:${Uint8Array.fromHex(id.slice("sha256:".length)).toBase64()}:`;
}
