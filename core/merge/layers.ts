/**
 * Where a tensor stands over the depth of its model (METHODS.md 2.5).
 *
 * @module
 */
import { applies, type Conditional } from "./parameters.ts";

/** The parts of the name of a tensor inside a numbered block. */
export interface BlockName {
  /** What stands before the number, without the dot: `model.layers`; empty if nothing does. */
  readonly container: string;
  readonly index: number;
  /** What stands after the number, with its dot: `.mlp.up_proj.weight`; empty if nothing does. */
  readonly rest: string;
}

/** Names of tensors after the last block, unless a recipe says otherwise through `gradient_t`. */
export const AFTER_BLOCKS: readonly string[] = [
  "lm_head",
  "classifier",
  "head",
  "final",
  "ln_f",
  "norm_f",
  "ln_post",
  "model.norm",
];

/** Splits a name at its first dot-separated component that is a decimal integer. */
export function blockOf(name: string): BlockName | undefined {
  const found = /(?:^|\.)(\d{1,15})(?=\.|$)/.exec(name);
  if (found === null) return undefined;
  return {
    container: name.slice(0, found.index),
    index: Number(found[1]),
    rest: name.slice(found.index + found[0].length),
  };
}

/** Whether a tensor outside the blocks belongs after the last one. */
export function isAfterBlocks(name: string): boolean {
  return AFTER_BLOCKS.some((part) => name.includes(part));
}

/** The different block numbers of every container, in ascending order. */
export function containersOf(names: Iterable<string>): ReadonlyMap<string, readonly number[]> {
  const indices = new Map<string, Set<number>>();
  for (const name of names) {
    const block = blockOf(name);
    if (block === undefined) continue;
    const known = indices.get(block.container);
    if (known) known.add(block.index);
    else indices.set(block.container, new Set([block.index]));
  }
  return new Map(
    [...indices].map(([container, set]) => [container, [...set].sort((a, b) => a - b)]),
  );
}

/** How positions are found. */
export interface PositionOptions {
  /** Positions that a recipe gives by filter; the first that applies wins. */
  readonly overrides?: readonly Conditional[];
  /** mergekit gives every tensor outside the blocks position 0. */
  readonly compat?: boolean;
}

/**
 * Makes the function that tells a tensor's position t, 0 to 1: the rank of its block number among those
 * of its container, 0 or 1 outside blocks.
 *
 * @param names All tensors of the output (or of a slice of it).
 */
export function positions(
  names: Iterable<string>,
  { overrides = [], compat = false }: PositionOptions = {},
): (name: string) => number {
  const ranks = new Map<string, ReadonlyMap<number, number>>();
  for (const [container, indices] of containersOf(names)) {
    const last = indices.length - 1;
    ranks.set(
      container,
      new Map(indices.map((index, rank) => [index, last === 0 ? 1 : rank / last])),
    );
  }
  return (name) => {
    const override = overrides.find((entry) => applies(entry, name));
    if (override !== undefined) return Number(override.value);
    const block = blockOf(name);
    if (block !== undefined) return ranks.get(block.container)?.get(block.index) ?? 1;
    return !compat && isAfterBlocks(name) ? 1 : 0;
  };
}
