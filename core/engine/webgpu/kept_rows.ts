/**
 * What stays on a device from one pass of a tensor to the next, within a budget.
 *
 * Where the budget is used up, what comes is not kept: passes go over a tensor in the same order, so that making room
 * by what is oldest would throw away just what is asked for next.
 *
 * @module
 */

/** Things by name, each of some bytes. */
export interface KeptRows<Item> {
  /** Keeps an item; answers whether there was room. */
  keep(id: string, bytes: number, item: Item): boolean;
  /** Takes an item out; undefined if it is not there. */
  take(id: string): Item | undefined;
  /** Takes out all items whose names begin so. */
  drop(prefix: string): Item[];
}

/** @param budget Bytes of all items together. */
export function createKeptRows<Item>(budget: number): KeptRows<Item> {
  const items = new Map<string, { readonly bytes: number; readonly item: Item }>();
  let used = 0;
  const take = (id: string): Item | undefined => {
    const known = items.get(id);
    if (!known) return undefined;
    items.delete(id);
    used -= known.bytes;
    return known.item;
  };
  return {
    keep(id, bytes, item) {
      if (items.has(id) || used + bytes > budget) return false;
      items.set(id, { bytes, item });
      used += bytes;
      return true;
    },
    take,
    drop: (prefix) =>
      [...items.keys()].filter((id) => id.startsWith(prefix)).map((id) => take(id)!),
  };
}
