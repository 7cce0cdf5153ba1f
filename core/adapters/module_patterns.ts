/**
 * `rank_pattern` and `alpha_pattern`: regular expressions over the ends of module paths.
 *
 * @module
 */
import { type AdapterName, adapterProblem } from "./adapter_problem.ts";

/** A value for the modules whose path, or the end of it after a dot, matches. */
export interface ModulePattern {
  readonly matches: (module: string) => boolean;
  readonly value: number;
}

/** Characters that a pattern may have. */
const LENGTH = 500;
/** Unbounded quantifiers that a pattern may have: each multiplies the time by the length of a path. */
const UNBOUNDED = 2;
/** Paths longer than this match no pattern that is more than a plain path. */
const PATH = 400;

/**
 * Reads a map of patterns; each must match a whole path, or all of it after a dot, as PEFT has it.
 *
 * @param value Checks a value of the map.
 * @throws {Problem} `invalid-checkpoint` if it is no such map or a pattern is no regular expression;
 * `unsupported-format` for one that could take too long.
 */
export function modulePatterns(
  map: unknown,
  key: string,
  adapter: AdapterName,
  value: (value: unknown, key: string, adapter: AdapterName) => number,
): ModulePattern[] {
  if (map === undefined || map === null) return [];
  if (typeof map !== "object" || Array.isArray(map)) {
    throw adapterProblem(
      "invalid-checkpoint",
      adapter,
      `${key} of its configuration must be a map: current value is ${
        JSON.stringify(map).slice(0, 80)
      }`,
      { key },
    );
  }
  return Object.entries(map).map(([pattern, item]) => ({
    matches: matcher(pattern, key, adapter),
    value: value(item, `${key} of ${JSON.stringify(pattern.slice(0, 80))}`, adapter),
  }));
}

function matcher(
  pattern: string,
  key: string,
  adapter: AdapterName,
): (module: string) => boolean {
  if (/^[\w.-]*$/.test(pattern)) return plainMatcher(pattern);
  // Quantified groups and backreferences are what makes matching exponential.
  const isHarmless = pattern.length <= LENGTH && !/\)[*+?{]|\\[1-9k]|\{/.test(pattern) &&
    (pattern.match(/[*+]/g) ?? []).length <= UNBOUNDED;
  if (!isHarmless) {
    throw adapterProblem(
      "unsupported-format",
      adapter,
      `a pattern of ${key} must have at most ${LENGTH} characters, ${UNBOUNDED} of * and + and no ` +
        `quantified groups (write module paths instead): current value is ${
          JSON.stringify(pattern.slice(0, 80))
        }`,
      { key },
    );
  }
  try {
    const expression = new RegExp(`^(?:.*\\.)?(?:${pattern})$`);
    return (module) => module.length <= PATH && expression.test(module);
  } catch {
    throw adapterProblem(
      "invalid-checkpoint",
      adapter,
      `a pattern of ${key} must be a regular expression: current value is ${
        JSON.stringify(pattern.slice(0, 80))
      }`,
      { key },
    );
  }
}

/** A path without special characters but dots, which stand for any character. */
function plainMatcher(pattern: string): (module: string) => boolean {
  return (module) => {
    const start = module.length - pattern.length;
    if (start < 0 || start > 0 && module[start - 1] !== ".") return false;
    for (let i = 0; i < pattern.length; i++) {
      if (pattern[i] !== "." && pattern[i] !== module[start + i]) return false;
    }
    return true;
  };
}
