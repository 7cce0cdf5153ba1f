/**
 * Finds a multipart delimiter in pieces of a body.
 *
 * A Boyer-Moore-Horspool search: it looks at about every fiftieth byte of a body whose boundary has a
 * usual length. As a delimiter holds one CR, its first byte, comparisons from there on never
 * overlap, and the worst body costs one look at each byte.
 *
 * @module
 */

/** A search for one delimiter. */
export interface BoundarySearch {
  /** Length of the delimiter in bytes. */
  readonly length: number;
  /** The first index at or after `from` where the whole delimiter stands, or -1. */
  find(bytes: Uint8Array, from: number): number;
  /**
   * The index at or after `from` where a delimiter may begin that goes on behind the end of `bytes`, or
   * the length of `bytes` if there is none.
   */
  open(bytes: Uint8Array, from: number): number;
}

const CR = 13;

/**
 * Prepares a search for `CR LF -- boundary`.
 *
 * @param boundary At most 70 ASCII characters, no CR.
 */
export function boundarySearch(boundary: string): BoundarySearch {
  const delimiter = new TextEncoder().encode(`\r\n--${boundary}`);
  const { length } = delimiter;
  const last = delimiter[length - 1];
  const shifts = new Uint8Array(256).fill(length);
  for (let i = 0; i < length - 1; i++) shifts[delimiter[i]!] = length - 1 - i;

  /** How many bytes of the delimiter stand at `start`. */
  function matched(bytes: Uint8Array, start: number): number {
    let i = 0;
    while (i < length && bytes[start + i] === delimiter[i]) i++;
    return i;
  }

  return {
    length,
    find(bytes, from) {
      for (let end = from + length - 1; end < bytes.length;) {
        const byte = bytes[end]!;
        const start = end - length + 1;
        if (byte === last && bytes[start] === CR && matched(bytes, start) === length) return start;
        end += shifts[byte]!;
      }
      return -1;
    },
    open(bytes, from) {
      const start = bytes.lastIndexOf(CR);
      if (start < from || start <= bytes.length - length) return bytes.length;
      return start + matched(bytes, start) === bytes.length ? start : bytes.length;
    },
  };
}
