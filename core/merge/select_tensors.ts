/**
 * Chooses by globs which tensors are merged (METHODS.md 2.6).
 *
 * @module
 */

/** Globs; a tensor is selected if it matches one of `include` and none of `exclude`. */
export interface TensorGlobs {
  readonly include: readonly string[];
  readonly exclude: readonly string[];
}

/** A selection that knows which of its globs never matched. */
export interface TensorSelection {
  readonly selects: (name: string) => boolean;
  /** Globs that have matched none of the names asked for so far. */
  readonly idle: () => string[];
}

/**
 * Whether a glob matches a whole name. `*` stands for any run of characters, dots included and possibly
 * empty, `?` for exactly one character; all others stand for themselves, case-sensitively.
 *
 * Takes at most pattern × name steps, whatever the pattern.
 */
export function matchesGlob(pattern: string, name: string): boolean {
  let at = 0;
  let star = -1;
  let resume = 0;
  let i = 0;
  while (i < name.length) {
    if (at < pattern.length && pattern[at] === "*") {
      star = at++;
      resume = i;
    } else if (at < pattern.length && (pattern[at] === "?" || pattern[at] === name[i])) {
      at++;
      i++;
    } else if (star >= 0) {
      at = star + 1;
      i = ++resume;
    } else return false;
  }
  while (pattern[at] === "*") at++;
  return at === pattern.length;
}

/** Binds a recipe's globs. */
export function selectTensors({ include, exclude }: TensorGlobs): TensorSelection {
  const idle = new Set([...include, ...exclude]);
  const matchesAny = (patterns: readonly string[], name: string) => {
    let matched = false;
    for (const pattern of patterns) {
      // A pattern that has matched before needs no second look once the answer is known.
      if (matched && !idle.has(pattern)) continue;
      if (!matchesGlob(pattern, name)) continue;
      idle.delete(pattern);
      matched = true;
    }
    return matched;
  };
  return {
    selects(name) {
      const included = matchesAny(include, name);
      return !matchesAny(exclude, name) && included;
    },
    idle: () => [...idle],
  };
}
