/**
 * How a fault of a header is reported: what is wrong, at which byte, in which source and tensor.
 *
 * @module
 */
import type { Limits } from "../limits.ts";
import { Problem, type ProblemMembers } from "../problem.ts";

/** What bounds a header. */
export type CheckpointLimits = Pick<Limits, "header" | "tensors" | "name">;

/** How to read a header. */
export interface HeaderOptions {
  /** Name of the source, which problems carry as `source`. */
  readonly source?: string;
  /** The defaults if absent. */
  readonly limits?: CheckpointLimits;
}

/** Throws the problem of a fault at an absolute byte of the file. */
export type HeaderFault = (detail: string, byte: number, members?: ProblemMembers) => never;

/** The member `source` where a name is known. */
export function sourceMember(options: HeaderOptions): { readonly source?: string } {
  return options.source === undefined ? {} : { source: options.source };
}

/** Makes the function that throws `invalid-checkpoint` with `source`, `byte` and further members. */
export function headerFault(options: HeaderOptions): HeaderFault {
  return (detail, byte, members = {}) => {
    throw new Problem("invalid-checkpoint", detail, { ...sourceMember(options), byte, ...members });
  };
}

/** Quotes a name for a detail, cut where it is long. */
export function quote(name: string): string {
  return JSON.stringify(name.length > 200 ? `${name.slice(0, 200)}…` : name);
}
