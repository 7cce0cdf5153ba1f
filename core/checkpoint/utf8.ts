/**
 * UTF-8 that must be valid, with the place of the first byte that is not.
 *
 * @module
 */

const CHUNK = 65536;

/**
 * Decodes UTF-8 strictly; a byte order mark is kept as a character.
 *
 * @returns The text, or the index of the first byte that cannot follow those before it (the number of bytes
 * if they end inside a character).
 */
export function decodeUtf8(bytes: Uint8Array): string | number {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return firstInvalid(bytes);
  }
}

function firstInvalid(bytes: Uint8Array): number {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let low = 0;
  try {
    for (; low < bytes.length; low += CHUNK) {
      decoder.decode(bytes.subarray(low, low + CHUNK), { stream: true });
    }
  } catch {
    // The fault lies in this chunk; the search below narrows it down.
  }
  let start = Math.min(low, bytes.length);
  // A sequence may straddle two chunks: begin where it begins (at most three bytes back).
  for (let back = 0; back < 3 && start > 0 && ((bytes[start] ?? 0) & 0xc0) === 0x80; back++) {
    start--;
  }
  let good = start;
  let bad = Math.min(start + CHUNK + 4, bytes.length);
  while (good < bad) {
    const middle = (good + bad + 1) >> 1;
    if (isPrefix(bytes.subarray(start, middle))) good = middle;
    else bad = middle - 1;
  }
  return good;
}

/** Whether valid UTF-8 can begin with these bytes. */
function isPrefix(bytes: Uint8Array): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes, { stream: true });
    return true;
  } catch {
    return false;
  }
}
