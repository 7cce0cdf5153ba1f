/**
 * The document of `POST /atm` while it is written: plain JSON, whose values are found by their paths.
 *
 * @module
 */

/** A document, or a part of one. */
export type Draft = Readonly<Record<string, unknown>>;

/** What a run begins with unless something else is chosen. */
export const USUAL: Draft = {
  model: "",
  tasks: [{
    name: "task 1",
    shard: "",
    inputs: { x: { from: "x", scale: 1 } },
    target: "y",
    loss: "cross_entropy",
  }],
  rounds: 10,
  local: { epochs: 1, batch_size: 32, optimizer: { name: "sgd", learning_rate: 0.01 } },
  references: ["base", "experts", "mean", "task_arithmetic", "joint"],
  keep_rounds: true,
};

/** The steps of a path such as `tasks[0].inputs.x`. */
function stepsOf(path: string): string[] {
  return path.split(/[.[\]]+/).filter((step) => step !== "");
}

/** The value at a path; undefined if there is none. */
export function valueAt(draft: unknown, path: string): unknown {
  let value = draft;
  for (const step of stepsOf(path)) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, step)) {
      return undefined;
    }
    value = (value as Record<string, unknown>)[step];
  }
  return value;
}

/** The text at a path; empty if there is none. */
export function textAt(draft: unknown, path: string): string {
  const value = valueAt(draft, path);
  return typeof value === "string" ? value : "";
}

/** The number at a path, if there is one. */
export function numberAt(draft: unknown, path: string): number | undefined {
  const value = valueAt(draft, path);
  return typeof value === "number" ? value : undefined;
}

/** The draft with another value at a path; undefined takes it away, and maps that are empty then as well. */
export function withValue(draft: Draft, path: string, value: unknown): Draft {
  return changed(draft, stepsOf(path), value) as Draft ?? {};
}

function changed(part: unknown, [step, ...rest]: readonly string[], value: unknown): unknown {
  if (step === undefined) return value;
  if (Array.isArray(part)) {
    const next = changed(part[Number(step)], rest, value);
    return next === undefined
      ? part.filter((_, i) => i !== Number(step))
      : Object.assign([...part], { [step]: next });
  }
  const before = typeof part === "object" && part !== null ? part as Draft : {};
  const next = changed(before[step], rest, value);
  if (next !== undefined) return { ...before, [step]: next };
  const { [step]: _, ...others } = before;
  return Object.keys(others).length === 0 ? undefined : others;
}
