/**
 * Checks the `parameters` maps of a recipe against what its method declares, before any tensor is read.
 *
 * @module
 */
import type { ParameterSpec } from "../methods/method.ts";
import type { Fault } from "../problem.ts";
import { joinPath, mustBe, show } from "./faults.ts";
import { didYouMean } from "./nearest.ts";

/** What a recipe's parameters are checked against. */
export interface ParameterRules {
  /** The method's parameters; undefined if the method is unknown, then only the form is checked. */
  readonly specs: Readonly<Record<string, ParameterSpec>> | undefined;
  /** `model` where only per-model parameters may stand. */
  readonly place: "model" | "any";
}

/** Every fault of one `parameters` map, wherever it stands. */
export function checkParameters(settings: unknown, path: string, rules: ParameterRules): Fault[] {
  if (settings === undefined || settings === null) return [];
  if (!isMap(settings)) return [{ path, message: mustBe("parameters", "a map", settings) }];
  const faults: Fault[] = [];
  const { specs, place } = rules;
  for (const [name, setting] of Object.entries(settings)) {
    const at = joinPath(path, name);
    const known = specs !== undefined && Object.hasOwn(specs, name);
    const spec = known ? specs[name] : undefined;
    if (specs !== undefined && spec === undefined) {
      faults.push({ path: at, message: unknown(name, Object.keys(specs)) });
    } else if (spec?.scope === "global" && place === "model") {
      faults.push({
        path: at,
        message: `Cannot set ${name} for one model as it belongs to the whole merge and must ` +
          `stand under the top-level parameters: current value is ${show(setting)}`,
      });
    } else checkSetting(name, setting, at, spec, faults);
  }
  return faults;
}

function unknown(name: string, known: readonly string[]): string {
  return `Cannot use the parameter as the method has none of this name` +
    `${didYouMean(name, known)}: current value is ${show(name)}`;
}

/** A number, boolean or string; a list of numbers; `{ filter, value }`; or a list of these. */
function checkSetting(
  name: string,
  setting: unknown,
  path: string,
  spec: ParameterSpec | undefined,
  faults: Fault[],
): void {
  if (spec?.type === "filters") return checkFilters(name, setting, path, faults);
  if (isMap(setting)) return checkConditional(name, setting, path, spec, faults);
  if (!Array.isArray(setting) || !setting.some(isMap)) {
    return checkValue(name, setting, path, spec, faults);
  }
  setting.forEach((item, i) => {
    const at = joinPath(path, i);
    if (isMap(item)) return checkConditional(name, item, at, spec, faults);
    const expected = "a map { filter, value } like its neighbours in the list";
    faults.push({ path: at, message: mustBe(`this entry of ${name}`, expected, item) });
  });
}

/** A part of tensor names, or a list of them. */
function checkFilters(name: string, setting: unknown, path: string, faults: Fault[]): void {
  const expected = "a part of tensor names, or *";
  const isPart = (value: unknown) => typeof value === "string" && value !== "";
  if (!Array.isArray(setting)) {
    if (!isPart(setting)) {
      faults.push({ path, message: mustBe(name, `a list, each entry ${expected}`, setting) });
    }
    return;
  }
  setting.forEach((item, i) => {
    if (isPart(item)) return;
    const at = joinPath(path, i);
    faults.push({ path: at, message: mustBe(`this entry of ${name}`, expected, item) });
  });
}

function checkConditional(
  name: string,
  conditional: Readonly<Record<string, unknown>>,
  path: string,
  spec: ParameterSpec | undefined,
  faults: Fault[],
): void {
  const keys = ["filter", "value"];
  for (const key of Object.keys(conditional)) {
    if (keys.includes(key)) continue;
    faults.push({
      path: joinPath(path, key),
      message: `Cannot use the key as only filter and value may stand here` +
        `${didYouMean(key, keys)}: current value is ${show(key)}`,
    });
  }
  const { filter, value } = conditional;
  if (filter !== undefined && filter !== null && (typeof filter !== "string" || filter === "")) {
    faults.push({
      path: joinPath(path, "filter"),
      message: mustBe("filter", "a part of tensor names, or *", filter),
    });
  }
  if (!Object.hasOwn(conditional, "value")) {
    faults.push({
      path,
      message: `Cannot use this entry of ${name} as its value is missing: ` +
        `current value is ${show(conditional)}`,
    });
  } else checkValue(name, value, joinPath(path, "value"), spec, faults);
}

function checkValue(
  name: string,
  value: unknown,
  path: string,
  spec: ParameterSpec | undefined,
  faults: Fault[],
): void {
  if (!Array.isArray(value)) {
    const expected = expectation(value, spec);
    if (expected !== undefined) faults.push({ path, message: mustBe(name, expected, value) });
    return;
  }
  if (value.length === 0) {
    faults.push({ path, message: mustBe(name, "given by at least one number", value) });
  } else if (spec !== undefined && spec.type !== "number") {
    faults.push({
      path,
      message: `Cannot vary ${name} over the layers as it is no real number but must be ` +
        `${describe(spec)}: current value is ${show(value)}`,
    });
  } else {
    value.forEach((item: unknown, i) => {
      const expected = expectation(item, spec ?? { type: "number" });
      if (expected === undefined) return;
      faults.push({ path: joinPath(path, i), message: mustBe(name, expected, item) });
    });
  }
}

/** What a value should have been, or undefined if it is right. */
function expectation(value: unknown, spec?: Partial<ParameterSpec>): string | undefined {
  if (spec === undefined) {
    return ["number", "boolean", "string"].includes(typeof value)
      ? undefined
      : "a number, a boolean, a list of numbers, or a list of { filter, value }";
  }
  if (spec.type === "boolean") {
    return typeof value === "boolean" || value === 0 || value === 1 ? undefined : describe(spec);
  }
  if (spec.type === "enum") {
    return typeof value === "string" && spec.values?.includes(value) ? undefined : describe(spec);
  }
  if (spec.type === "model") return typeof value === "string" ? undefined : describe(spec);
  const right = typeof value === "number" && Number.isFinite(value) &&
    (spec.type !== "integer" || Number.isSafeInteger(value)) &&
    value >= (spec.minimum ?? -Infinity) && value <= (spec.maximum ?? Infinity) &&
    value > (spec.exclusiveMinimum ?? -Infinity) && value < (spec.exclusiveMaximum ?? Infinity);
  return right ? undefined : describe(spec);
}

/** "a number in [0, 1]", "true or false", one of the names of an enum. */
function describe(spec: Partial<ParameterSpec>): string {
  if (spec.type === "boolean") return "true or false";
  if (spec.type === "enum") return (spec.values ?? []).map((name) => `"${name}"`).join(" or ");
  if (spec.type === "model") return "the name of a model";
  const kind = spec.type === "integer" ? "an integer" : "a finite number";
  const low = spec.exclusiveMinimum ?? spec.minimum;
  const high = spec.exclusiveMaximum ?? spec.maximum;
  if (low === undefined && high === undefined) return kind;
  const open = spec.exclusiveMinimum === undefined && low !== undefined ? "[" : "(";
  const close = spec.exclusiveMaximum === undefined && high !== undefined ? "]" : ")";
  return `${kind.replace("finite ", "")} in ${open}${low ?? "-infinity"}, ${
    high ?? "infinity"
  }${close}`;
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
