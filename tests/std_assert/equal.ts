/** Deep equality as in std: +0 equals -0, NaN equals NaN, keyed collections by content. */
export function equal(left: unknown, right: unknown): boolean {
  return compare(left, right, new Map());
}

function compare(
  left: unknown,
  right: unknown,
  seen: Map<unknown, unknown>,
): boolean {
  if (left === right || Object.is(left, right)) return true;
  if (
    typeof left !== "object" || typeof right !== "object" || !left || !right
  ) return false;
  if (seen.get(left) === right) return true;
  if (left.constructor !== right.constructor) return false;
  if (left instanceof Date) {
    return Object.is(left.getTime(), (right as Date).getTime());
  }
  if (left instanceof RegExp || left instanceof URL) {
    return String(left) === String(right);
  }
  if (ArrayBuffer.isView(left) && !(left instanceof DataView)) {
    const [a, b] = [left, right] as unknown as ArrayLike<number>[];
    return a!.length === b!.length &&
      Array.prototype.every.call(a, (x, i) => compare(x, b![i], seen));
  }
  seen.set(left, right);
  if (left instanceof Set) return sameSet(left, right as Set<unknown>, seen);
  if (left instanceof Map) {
    return sameMap(left, right as Map<unknown, unknown>, seen);
  }
  const keys = new Set([...Reflect.ownKeys(left), ...Reflect.ownKeys(right)]);
  for (const key of keys) {
    const [a, b] = [left, right] as Record<PropertyKey, unknown>[];
    if (!compare(a![key], b![key], seen)) return false;
    if ((key in left) !== (key in right)) return false;
  }
  return !(left instanceof Error) || left.message === (right as Error).message;
}

function sameSet(
  left: Set<unknown>,
  right: Set<unknown>,
  seen: Map<unknown, unknown>,
): boolean {
  return left.size === right.size &&
    [...left].every((item) =>
      right.has(item) || [...right].some((other) => compare(item, other, seen))
    );
}

function sameMap(
  left: Map<unknown, unknown>,
  right: Map<unknown, unknown>,
  seen: Map<unknown, unknown>,
): boolean {
  return left.size === right.size &&
    [...left].every(([key, value]) =>
      right.has(key)
        ? compare(value, right.get(key), seen)
        : [...right].some(([other, item]) =>
          compare(key, other, seen) && compare(value, item, seen)
        )
    );
}
