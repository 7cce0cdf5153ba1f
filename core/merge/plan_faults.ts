/**
 * Gathers the faults that planning finds tensor by tensor, so that all are reported at once.
 *
 * @module
 */
import { type Fault, Problem } from "../problem.ts";
import type { StoredTensor } from "../checkpoint/checkpoint.ts";
import { invalidRecipe } from "./faults.ts";
import { nearest } from "./nearest.ts";
import type { GroupSource } from "./tensor_groups.ts";

/** How many tensors a problem document lists. */
const LISTED = 20;

/** Why tensors do not fit together. */
export type MismatchReason = "shape" | "missing" | "extra";

/** A tensor that does not fit. */
export interface Mismatch {
  readonly path: string;
  readonly tensor: string;
  readonly reason: MismatchReason;
  /** The models concerned, the base first. */
  readonly sources: readonly GroupSource[];
}

/** A tensor whose element type cannot be used. */
export interface UnsupportedTensor {
  readonly path: string;
  readonly source: string;
  readonly tensor: StoredTensor;
}

/** Faults in the order in which they were found. */
export interface FaultLog {
  /** A fault of the recipe. */
  fault(fault: Fault): void;
  /** The same fault in several tensors is reported once. */
  inTensor(path: string, tensor: string, message: string): void;
  mismatch(mismatch: Mismatch): void;
  unsupported(tensor: UnsupportedTensor): void;
  /** @throws {Problem} `invalid-recipe`, `mismatch` or `unsupported-dtype`, if anything was found. */
  throwIfAny(): void;
}

/** An empty log. */
export function faultLog(): FaultLog {
  const faults: Fault[] = [];
  const repeated = new Map<
    string,
    { path: string; tensor: string; message: string; count: number }
  >();
  const mismatches: Mismatch[] = [];
  const unsupported: UnsupportedTensor[] = [];
  return {
    fault: (fault) => faults.push(fault),
    inTensor(path, tensor, message) {
      const key = `${path}\n${message}`;
      const known = repeated.get(key);
      if (known) known.count++;
      else repeated.set(key, { path, tensor, message, count: 1 });
    },
    mismatch: (mismatch) => mismatches.push(mismatch),
    unsupported: (tensor) => unsupported.push(tensor),
    throwIfAny() {
      const recipe = [...faults, ...[...repeated.values()].map(repeatedFault)];
      const shapes = mismatches.slice(0, LISTED).map(describe);
      const types = unsupported.slice(0, LISTED).map(unsupportedFault);
      const errors = [
        ...recipe,
        ...shapes.map(({ path, message }) => ({ path, message })),
        ...types,
      ];
      if (recipe.length > 0) throw invalidRecipe(errors);
      if (shapes.length > 0) throw mismatchProblem(mismatches.length, shapes, errors);
      if (types.length > 0) {
        const { source, tensor: { name, dtype } } = unsupported[0]!;
        throw new Problem("unsupported-dtype", types[0]!.message, {
          source,
          tensor: name,
          dtype,
          count: unsupported.length,
          errors,
        });
      }
    },
  };
}

function repeatedFault(
  { path, tensor, message, count }: {
    path: string;
    tensor: string;
    message: string;
    count: number;
  },
): Fault {
  const more = count === 1 ? "" : ` and ${count - 1} more`;
  return { path, message: `Tensor "${tensor}"${more}: ${message}` };
}

/** How a mismatch is listed in a problem document. */
interface MismatchEntry extends Fault {
  readonly tensor: string;
  readonly reason: MismatchReason;
  /** Per model what it has, or null. */
  readonly models: Readonly<Record<string, { dtype: string; shape: readonly number[] } | null>>;
  /** For a model that lacks the tensor, its nearest name. */
  readonly nearest: Readonly<Record<string, string>>;
}

function describe({ path, tensor, reason, sources }: Mismatch): MismatchEntry {
  const has = sources.map(({ name, tensors }) => {
    const stored = tensors.get(tensor);
    return [name, stored ? { dtype: stored.dtype, shape: stored.shape } : null] as const;
  });
  const owner = sources.find(({ tensors }) => tensors.has(tensor));
  const near = sources.flatMap(({ name, tensors }) => {
    if (tensors.has(tensor)) return [];
    // A name that the others have as well stands for something else.
    const own = [...tensors.keys()].filter((candidate) => !owner?.tensors.has(candidate));
    const found = nearest(tensor, own);
    return found === undefined ? [] : [[name, found] as const];
  });
  const lacking = has.filter(([, stored]) => stored === null).map(([name]) => name);
  const hint = near.length === 0
    ? ""
    : ` (nearest: ${near.map(([name, found]) => `"${found}" in ${name}`).join(", ")})`;
  const shapes = has.flatMap(([name, stored]) =>
    stored === null ? [] : [`${name} ${stored.dtype} [${stored.shape.join(", ")}]`]
  );
  const message = reason === "shape"
    ? `Cannot merge tensor "${tensor}" as its shapes or kinds of type differ: ` +
      `current value is ${shapes.join(", ")}`
    : `Cannot merge tensor "${tensor}" as it is missing${hint} in: ${lacking.join(", ")}`;
  return {
    path,
    message,
    tensor,
    reason,
    models: Object.fromEntries(has),
    nearest: Object.fromEntries(near),
  };
}

function mismatchProblem(
  count: number,
  entries: readonly MismatchEntry[],
  errors: readonly Fault[],
): Problem {
  const first = entries[0]!.message;
  const detail = count === 1 ? first : `${first} (and ${count - 1} more tensors)`;
  const tensors = entries.map(({ path: _, message: _message, tensor, ...rest }) => ({
    name: tensor,
    ...rest,
  }));
  return new Problem("mismatch", detail, { count, tensors, errors });
}

function unsupportedFault({ path, source, tensor: { name, dtype } }: UnsupportedTensor): Fault {
  return {
    path,
    message:
      `Cannot merge tensor "${name}" of "${source}" as 8-bit floats usually need scales that ` +
      `stand apart (float8: "unscaled" takes them as plain numbers): current value is ${dtype}`,
  };
}
