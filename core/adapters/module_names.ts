/**
 * Finds the tensor of a base model that a module of an adapter stands for.
 *
 * @module
 */
import { nearestNames } from "../merge/nearest.ts";
import { type AdapterName, adapterProblem } from "./adapter_problem.ts";

/** Names that a message lists. */
const LISTED = 20;

/** The name of a module's weight. */
export function weightOf(module: string): string {
  return `${module}.weight`;
}

/**
 * The base's tensor of every module: `MODULE.weight` itself; else without some of the leading components
 * (an adapter of a model with a head, on a base without), or after the one prefix that makes all modules
 * names of the base.
 *
 * @param names Tensors of the base; undefined without one, when the modules keep their own names.
 * @throws {Problem} `mismatch` with the nearest names if a module fits no tensor, or two fit the same.
 */
export function bindModules(
  modules: readonly string[],
  names: ReadonlySet<string> | undefined,
  adapter: AdapterName,
): ReadonlyMap<string, string> {
  if (names === undefined) return new Map(modules.map((module) => [module, weightOf(module)]));
  const prefix = commonPrefix(modules, names);
  const bound = new Map<string, string>();
  const lacking: string[] = [];
  const taken = new Map<string, string>();
  for (const module of modules) {
    const found = candidates(module, prefix).find((name) => names.has(name));
    if (found === undefined) lacking.push(module);
    else {
      const other = taken.get(found);
      if (other !== undefined) {
        throw adapterProblem(
          "mismatch",
          adapter,
          `its modules ${JSON.stringify(other)} and ${
            JSON.stringify(module)
          } stand for one tensor ` +
            `of the base: current value is ${JSON.stringify(found)}`,
          { tensor: found },
        );
      }
      taken.set(found, module);
      bound.set(module, found);
    }
  }
  const [first] = lacking;
  if (first === undefined) return bound;
  const near = nearestNames(weightOf(first), names);
  const more = lacking.length === 1 ? "" : ` (and ${lacking.length - 1} more modules)`;
  throw adapterProblem(
    "mismatch",
    adapter,
    `no tensor of the base is the weight of its module${
      near.length === 0 ? "" : `, nearest: ${near.map((name) => JSON.stringify(name)).join(", ")}`
    }: current value is ${JSON.stringify(first)}${more}`,
    {
      modules: lacking.slice(0, LISTED),
      count: lacking.length,
      nearest: Object.fromEntries(
        lacking.slice(0, LISTED).map((module) => [module, nearestNames(weightOf(module), names)]),
      ),
    },
  );
}

function candidates(module: string, prefix: string): string[] {
  const found = [weightOf(module), prefix + weightOf(module)];
  // The last two components at least must stay: single ones such as "q" say too little.
  let rest = module;
  for (let dot = rest.indexOf("."); dot >= 0; dot = rest.indexOf(".")) {
    rest = rest.slice(dot + 1);
    if (rest.includes(".")) found.push(weightOf(rest));
  }
  return found;
}

/** What all modules lack at the front of their names, such as `model.`; empty if that is not one text. */
function commonPrefix(modules: readonly string[], names: ReadonlySet<string>): string {
  const first = modules.find((module) => !names.has(weightOf(module)));
  if (first === undefined) return "";
  const end = `.${weightOf(first)}`;
  for (const name of names) {
    if (!name.endsWith(end)) continue;
    const prefix = name.slice(0, name.length - end.length + 1);
    if (modules.every((module) => names.has(prefix + weightOf(module)))) return prefix;
  }
  return "";
}
