/**
 * Documents that are wrong, or different, in one place.
 *
 * @module
 */
import fc from "fast-check";

type Path = readonly (string | number)[];

/** Every place of a document. */
function placesOf(value: unknown, before: Path = []): Path[] {
  if (typeof value !== "object" || value === null) return [before];
  const inside = Array.isArray(value) ? value.map((each, i) => [i, each] as const) : Object.entries(
    value,
  );
  return [before, ...inside.flatMap(([key, each]) => placesOf(each, [...before, key]))];
}

/** A copy in which another value stands at a place; undefined: nothing does. */
function replaced(value: unknown, [key, ...rest]: Path, other: unknown): unknown {
  if (key === undefined) return other;
  if (Array.isArray(value)) {
    return value.flatMap((each, i) => {
      if (i !== key) return [each];
      const made = replaced(each, rest, other);
      return made === undefined ? [] : [made];
    });
  }
  const map = value as Record<string, unknown>;
  const made = replaced(map[key], rest, other);
  const { [key]: _, ...others } = map;
  return made === undefined ? others : { ...others, [key]: made };
}

/** Values that stand nowhere on purpose; none asks for much work. */
const STRANGE = fc.oneof(
  fc.constantFrom(
    undefined,
    null,
    true,
    0,
    -1,
    1,
    2,
    0.5,
    1.5,
    1e300,
    "",
    "left",
    "base",
    "nothing",
    "float16",
    "auto",
    [],
    {},
    [[]],
    ["left"],
    { upload: true },
    { x: 1 },
    { checkpoint: `sha256:${"0".repeat(64)}` },
    { path: "x.safetensors" },
    { url: "http://127.0.0.1:1/x.safetensors" },
  ),
  fc.jsonValue({ maxDepth: 2 }),
);

/** A document with up to two places changed, or a key more. */
export function mutated(document: unknown): fc.Arbitrary<unknown> {
  const once = (given: unknown): fc.Arbitrary<unknown> =>
    fc.tuple(
      fc.constantFrom(...placesOf(given)),
      STRANGE,
      fc.string({ maxLength: 8 }),
      fc.boolean(),
    )
      .map(([path, value, name, more]) => {
        if (!more) return replaced(given, path, value);
        const key = ["__proto__", "constructor", "prototype"].includes(name) ? "key" : name;
        const place = at(given, path);
        return typeof place === "object" && place !== null && !Array.isArray(place)
          ? replaced(given, path, { ...place, [key]: value ?? null })
          : replaced(given, path, value);
      });
  return fc.oneof(
    { weight: 4, arbitrary: fc.constant(document) },
    { weight: 4, arbitrary: once(document) },
    { weight: 2, arbitrary: once(document).chain((first) => once(first ?? null)) },
  );
}

function at(value: unknown, path: Path): unknown {
  return path.reduce<unknown>((inner, key) => (inner as Record<string, unknown>)[key], value);
}
