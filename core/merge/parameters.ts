/**
 * Resolves method parameters for a tensor: levels, filters and gradients (METHODS.md 2.4, 2.5).
 *
 * @module
 */
import type { Parameters, ParameterSpec, ParameterValue } from "../methods/method.ts";

/** A value: one for all layers, or a gradient over them. */
export type Value = ParameterValue | readonly number[];

/** A value for the tensors whose name contains `filter`; absent or `*` stands for all. */
export interface Conditional {
  readonly filter?: string;
  readonly value: Value;
}

/** What a recipe may write for one parameter. */
export type Setting = Value | Conditional | readonly Conditional[] | readonly string[];

/** A `parameters` map of a recipe. */
export type Settings = Readonly<Record<string, Setting>>;

/** A checked `parameters` map of a document as settings; null stands for nothing, as in YAML. */
export function settingsOf(document: unknown): Settings {
  if (typeof document !== "object" || document === null) return {};
  return Object.fromEntries(
    Object.entries(document).map(([name, setting]) => [
      name,
      Array.isArray(setting) ? setting.map(withoutNull) : withoutNull(setting),
    ]),
  );
}

/** `{ filter: null, value }` means `{ value }`. */
function withoutNull<Item>(item: Item): Item | { readonly value: unknown } {
  const conditional = item as { filter?: unknown; value?: unknown };
  return typeof item === "object" && conditional.filter === null
    ? { value: conditional.value }
    : item;
}

/**
 * A setting as a list of conditional values, the first that applies wins.
 *
 * @param type The parameter's; parts of names (`filters`) stand for true where they apply.
 */
export function conditionalsOf(
  setting: Setting,
  type?: ParameterSpec["type"],
): readonly Conditional[] {
  if (type === "filters") {
    const filters = typeof setting === "string" ? [setting] : setting as readonly string[];
    return filters.map((filter) => ({ filter, value: true }));
  }
  if (typeof setting !== "object") return [{ value: setting }];
  if (!isList(setting)) return [setting];
  return typeof setting[0] === "object"
    ? setting as readonly Conditional[]
    : [{ value: setting as readonly number[] }];
}

/** `Array.isArray` for readonly arrays. */
function isList(
  value: Setting,
): value is readonly number[] | readonly Conditional[] | readonly string[] {
  return Array.isArray(value);
}

/** Whether a conditional value applies to a tensor: a plain, case-sensitive substring. */
export function applies({ filter }: Conditional, tensor: string): boolean {
  return filter === undefined || filter === "*" || tensor.includes(filter);
}

/** The value of a gradient (at least one number) at position `t`, 0 to 1. */
export function gradientAt(gradient: readonly number[], t: number): number {
  const s = t * (gradient.length - 1);
  const i = Math.floor(s);
  const k = Math.min(gradient.length - 1, i + 1);
  const f = s - i;
  return (1 - f) * gradient[i]! + f * gradient[k]!;
}

/** Where a filtered value was looked for and whether it ever applied, for warnings. */
export interface FilterUse {
  readonly parameter: string;
  readonly filter: string;
  used: boolean;
}

/** Parameters of one scope, ready to be resolved for many tensors. */
export interface ParameterResolver {
  /**
   * The parameters of a tensor; those that have no value at all are told to `onMissing`. Equal
   * parameters of several tensors may be the same object.
   *
   * @param tensor The name that filters see: of the input for a model's parameters, else of the output.
   * @param t Position over the layers, 0 to 1.
   */
  resolve(tensor: string, t: number, onMissing: (parameter: string) => void): Parameters;
  /** Every filter, so that those which never applied can be named afterwards. */
  readonly filters: readonly FilterUse[];
}

interface Candidate {
  readonly conditional: Conditional;
  readonly use?: FilterUse;
}

/**
 * Prepares the parameters of one scope. `levels` are searched in order; a level whose filters all
 * fail falls through to the next, then to the default.
 */
export function parameterResolver(
  specs: Readonly<Record<string, ParameterSpec>>,
  scope: ParameterSpec["scope"],
  levels: readonly Settings[],
): ParameterResolver {
  const constants: Record<string, ParameterValue> = {};
  const varying: [name: string, spec: ParameterSpec, candidates: readonly Candidate[]][] = [];
  const filters: FilterUse[] = [];
  for (const [name, spec] of Object.entries(specs)) {
    if (spec.scope !== scope) continue;
    const candidates = candidatesOf(name, spec, levels);
    for (const { use } of candidates) if (use) filters.push(use);
    const first = candidates[0];
    if (first === undefined && spec.default !== undefined) constants[name] = spec.default;
    else if (first !== undefined && !first.use && typeof first.conditional.value !== "object") {
      constants[name] = typed(spec, first.conditional.value);
    } else varying.push([name, spec, candidates]);
  }

  return {
    filters,
    resolve(tensor, t, onMissing) {
      if (varying.length === 0) return constants;
      const resolved = { ...constants };
      for (const [name, spec, candidates] of varying) {
        const found = candidates.find(({ conditional }) => applies(conditional, tensor));
        if (found?.use) found.use.used = true;
        const value = found?.conditional.value ?? spec.default;
        if (value === undefined) {
          if (!spec.optional) onMissing(name);
        } else {resolved[name] = typeof value === "object"
            ? gradientAt(value, t)
            : typed(spec, value);}
      }
      return resolved;
    },
  };
}

/** The conditional values of all levels in order, up to the first that always applies. */
function candidatesOf(
  name: string,
  { type }: ParameterSpec,
  levels: readonly Settings[],
): Candidate[] {
  const candidates: Candidate[] = [];
  for (const settings of levels) {
    if (!Object.hasOwn(settings, name)) continue;
    for (const conditional of conditionalsOf(settings[name]!, type)) {
      const { filter } = conditional;
      if (filter === undefined || filter === "*") return [...candidates, { conditional }];
      candidates.push({ conditional, use: { parameter: name, filter, used: false } });
    }
  }
  return candidates;
}

/** mergekit writes booleans also as 0 and 1. */
function typed(spec: ParameterSpec, value: ParameterValue): ParameterValue {
  return spec.type === "boolean" ? Boolean(value) : value;
}
