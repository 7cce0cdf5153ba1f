/**
 * Makes a correction that a problem offers.
 *
 * @module
 */
import type { Suggestion } from "../../../parts/problem_words.ts";

type Key = string | number;

/** The keys of a path such as `models[1].parameters["a b"]`. */
export function keysOf(path: string): Key[] {
  const keys: Key[] = [];
  for (
    const [, index, quoted, plain] of path.matchAll(/\[(\d+)\]|\[("(?:[^"\\]|\\.)*")\]|([\w-]+)/g)
  ) {
    if (index !== undefined) keys.push(Number(index));
    else if (quoted !== undefined) keys.push(JSON.parse(quoted) as string);
    else if (plain !== undefined) keys.push(plain);
  }
  return keys;
}

/**
 * A recipe with a correction: the wrong value at the path is replaced, or the wrong key there is renamed. Undefined if
 * neither stands there.
 */
export function fixedRecipe(recipe: unknown, { path, wrong, name }: Suggestion): unknown {
  return fixAt(recipe, keysOf(path), wrong, name);
}

function fixAt(
  value: unknown,
  keys: readonly Key[],
  wrong: string | undefined,
  name: string,
): unknown {
  const [key, ...rest] = keys;
  if (key === undefined || typeof value !== "object" || value === null) return undefined;
  if (Array.isArray(value)) {
    if (typeof key !== "number" || !(key in value)) return undefined;
    const fixed = rest.length > 0
      ? fixAt(value[key], rest, wrong, name)
      : fixedValue(value[key], wrong, name);
    return fixed === undefined ? undefined : value.with(key, fixed);
  }
  const map = value as Readonly<Record<string, unknown>>;
  if (!Object.hasOwn(map, key)) return undefined;
  const replaced = (change: (entry: [string, unknown]) => [string, unknown]) =>
    Object.fromEntries(
      Object.entries(map).map((entry) => entry[0] === key ? change(entry) : entry),
    );
  if (rest.length > 0) {
    const fixed = fixAt(map[key], rest, wrong, name);
    return fixed === undefined ? undefined : replaced(([each]) => [each, fixed]);
  }
  const fixed = fixedValue(map[key], wrong, name);
  if (fixed !== undefined) return replaced(([each]) => [each, fixed]);
  const isRenamed = (wrong === undefined || wrong === key) && !Object.hasOwn(map, name);
  return isRenamed ? replaced(([, inner]) => [name, inner]) : undefined;
}

function fixedValue(value: unknown, wrong: string | undefined, name: string): string | undefined {
  return typeof value === "string" && (wrong === undefined || wrong === value) ? name : undefined;
}
