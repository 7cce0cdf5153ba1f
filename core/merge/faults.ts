/**
 * How faults of a document are worded: paths, values, and the Problem that carries them all.
 *
 * @module
 */
import { type Fault, Problem } from "../problem.ts";

/** Appends a key or an index to a path: `models`, 1, `parameters` give `models[1].parameters`. */
export function joinPath(path: string, key: string | number): string {
  if (typeof key === "number") return `${path}[${key}]`;
  if (!/^[\w-]+$/.test(key)) return `${path}[${JSON.stringify(key)}]`;
  return path === "" ? key : `${path}.${key}`;
}

/** A value as the end of an error message, shortened where it is long. */
export function show(value: unknown): string {
  if (typeof value === "number" || value === undefined) return String(value);
  const text = JSON.stringify(value) ?? String(value);
  return text.length <= 80 ? text : `${text.slice(0, 77)}...`;
}

/** "Cannot use KEY as it must be EXPECTED: current value is VALUE". */
export function mustBe(key: string, expected: string, value: unknown): string {
  return `Cannot use ${key} as it must be ${expected}: current value is ${show(value)}`;
}

/** Faults that are told one by one: an answer must not be a hundred times its question. */
const TOLD = 200;

/** The Problem that reports every fault of a document at once; beyond {@linkcode TOLD} they are only counted. */
export function invalidRecipe(faults: readonly Fault[]): Problem {
  const first = faults[0]?.message ?? "The recipe is at fault";
  const more = faults.length - 1;
  const detail = more <= 0
    ? first
    : `${first} (and ${more} more ${more === 1 ? "fault" : "faults"})`;
  return new Problem("invalid-recipe", detail, {
    errors: faults.slice(0, TOLD),
    ...(faults.length > TOLD ? { faults: faults.length } : {}),
  });
}
