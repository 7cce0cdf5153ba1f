/**
 * Deep equality.
 *
 * @module
 */

type Properties = Record<PropertyKey, unknown>;

/**
 * Whether two values are deeply equal: +0 equals -0, NaN equals NaN; objects must have the same
 * constructor and enumerable properties; keyed collections are compared by content in any order.
 *
 * @throws {TypeError} If two weak collections are compared, as they cannot be.
 */
export function equal(c: unknown, d: unknown): boolean {
  return compare(c, d, new Map());
}

function compare(a: unknown, b: unknown, seen: Map<object, object>): boolean {
  if (a === b || Object.is(a, b)) return true;
  if (
    typeof a !== "object" || typeof b !== "object" || a === null || b === null
  ) return false;
  // Inside a cycle: the pair is being compared already.
  if (seen.get(a) === b) return true;
  if (kindOf(a) !== kindOf(b)) return false;
  seen.set(a, b);
  if (a instanceof Date && b instanceof Date) {
    return Object.is(a.getTime(), b.getTime());
  }
  if (a instanceof RegExp || a instanceof URL) return String(a) === String(b);
  if (a instanceof WeakMap || a instanceof WeakSet) {
    throw new TypeError(
      `Cannot compare values of ${a.constructor.name} as they show no content`,
    );
  }
  if (a instanceof WeakRef && b instanceof WeakRef) {
    return compare(a.deref(), b.deref(), seen);
  }
  if (a instanceof Error && b instanceof Error && a.message !== b.message) {
    return false;
  }
  const [left, right] = [bytesOf(a), bytesOf(b)];
  if (left && right) return sameBytes(left, right);
  if (isNumbers(a) && isNumbers(b)) return sameNumbers(a, b);
  if (a instanceof Set && b instanceof Set) return sameSet(a, b, seen);
  if (a instanceof Map && b instanceof Map) return sameMap(a, b, seen);
  return sameProperties(a as Properties, b as Properties, seen);
}

/** The constructor; an object without a prototype counts as a plain one. */
function kindOf(value: object): unknown {
  return value.constructor ?? Object;
}

function bytesOf(value: object): Uint8Array | undefined {
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  if (!(value instanceof DataView)) return undefined;
  return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

function isNumbers(value: object): value is ArrayLike<number | bigint> {
  return ArrayBuffer.isView(value) && !(value instanceof DataView);
}

function sameNumbers(
  a: ArrayLike<number | bigint>,
  b: ArrayLike<number | bigint>,
): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i], b[i]];
    if (x !== y && !Object.is(x, y)) return false;
  }
  return true;
}

function sameSet(
  a: Set<unknown>,
  b: Set<unknown>,
  seen: Map<object, object>,
): boolean {
  if (a.size !== b.size) return false;
  const rest = new Set(b);
  return [...a].every((item) => {
    if (rest.delete(item)) return true;
    const other = [...rest].find((candidate) => compare(item, candidate, new Map(seen)));
    return other !== undefined && rest.delete(other);
  });
}

function sameMap(
  a: Map<unknown, unknown>,
  b: Map<unknown, unknown>,
  seen: Map<object, object>,
): boolean {
  if (a.size !== b.size) return false;
  const rest = new Map(b);
  return [...a].every(([key, value]) => {
    if (rest.has(key)) {
      return compare(value, rest.get(key), seen) && rest.delete(key);
    }
    const other = [...rest].find(([candidate, item]) =>
      compare(key, candidate, new Map(seen)) &&
      compare(value, item, new Map(seen))
    );
    return other !== undefined && rest.delete(other[0]);
  });
}

function sameProperties(
  a: Properties,
  b: Properties,
  seen: Map<object, object>,
): boolean {
  if (Array.isArray(a) && a.length !== (b as unknown as unknown[]).length) {
    return false;
  }
  const keys = ownEnumerable(a);
  if (keys.length !== ownEnumerable(b).length) return false;
  return keys.every((key) => Object.hasOwn(b, key) && compare(a[key], b[key], seen));
}

/** The own enumerable keys of an object, symbols included. */
export function ownEnumerable(value: object): PropertyKey[] {
  return Reflect.ownKeys(value).filter((key) =>
    Object.prototype.propertyIsEnumerable.call(value, key)
  );
}
