/**
 * The names of sources in a document: what stands under the keys that name one. Any other text may happen to be a
 * source's name as well, such as "base" among the references of a run.
 *
 * @module
 */

/** Keys of recipes and of calls with tasks. */
const NAMING = new Set([
  "base_model",
  "exported_with",
  "graph",
  "model",
  "parameters",
  "select",
  "shard",
  "start",
  "statistics",
  "test",
]);

/** The names that a document uses, wherever they stand in it. */
export function namesIn(document: unknown, names = new Set<string>()): Set<string> {
  if (Array.isArray(document)) {
    for (const each of document) namesIn(each, names);
  } else if (typeof document === "object" && document !== null) {
    for (const [key, value] of Object.entries(document)) {
      // What sources stand for names none; a participant's shard stays where it is.
      if (key === "sources" && !Array.isArray(value)) continue;
      if (key === "participant" || (key === "shard" && "participant" in document)) continue;
      if (typeof value !== "string") namesIn(value, names);
      else if (NAMING.has(key)) names.add(value);
    }
  }
  return names;
}
