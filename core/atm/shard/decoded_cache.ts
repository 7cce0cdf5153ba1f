/**
 * Keeps decoded parts of a file up to a number of bytes; the least recently used ones go first.
 *
 * @module
 */

/** Answers a part by its key: a held one, or what `load` gives. */
export type DecodedCache<T> = (key: string, bytes: number, load: () => Promise<T>) => Promise<T>;

/**
 * Makes a cache. A part that fails to load is not kept; one that is larger than the limit is kept alone.
 *
 * @param limit The most bytes to hold.
 */
export function decodedCache<T>(limit: number): DecodedCache<T> {
  const held = new Map<string, { readonly bytes: number; readonly part: Promise<T> }>();
  let total = 0;
  const drop = (key: string) => {
    total -= held.get(key)?.bytes ?? 0;
    held.delete(key);
  };
  return (key, bytes, load) => {
    const known = held.get(key);
    if (known !== undefined) {
      // Maps keep their order, so this makes it the most recently used one.
      held.delete(key);
      held.set(key, known);
      return known.part;
    }
    for (const oldest of held.keys()) {
      if (total + bytes <= limit) break;
      drop(oldest);
    }
    const part = load();
    held.set(key, { bytes, part });
    total += bytes;
    part.catch(() => {
      if (held.get(key)?.part === part) drop(key);
    });
    return part;
  };
}
