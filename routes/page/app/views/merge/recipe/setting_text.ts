/**
 * A parameter's setting as a line of text: `0.5`, `0.2, 0.8` over the layers, `mlp: 0.2, 0.8; attn: 0.5; 0.4` by the
 * names of tensors. What does not fit is JSON.
 *
 * @module
 */

interface Conditional {
  readonly filter?: string;
  readonly value: unknown;
}

/** A filter that can stand before a colon. */
const PLAIN_FILTER = /^[^\s:;,[\]{}"][^:;,[\]{}"]*$/;

/** A setting as text; the empty text for none. */
export function settingText(setting: unknown): string {
  if (setting === undefined || setting === null) return "";
  const plain = valueText(setting);
  if (plain !== undefined) return plain;
  const conditionals = Array.isArray(setting) ? setting : [setting];
  const clauses = conditionals.map(clauseText);
  return clauses.length > 0 && clauses.every((clause) => clause !== undefined)
    ? clauses.join("; ")
    : JSON.stringify(setting);
}

function clauseText(conditional: unknown): string | undefined {
  if (typeof conditional !== "object" || conditional === null) return undefined;
  const { filter, value, ...rest } = conditional as Conditional;
  const text = valueText(value);
  if (text === undefined || Object.keys(rest).length > 0) return undefined;
  if (filter === undefined) return text;
  const isPlain = typeof filter === "string" && PLAIN_FILTER.test(filter) &&
    filter === filter.trim();
  return isPlain ? `${filter}: ${text}` : undefined;
}

function valueText(value: unknown): string | undefined {
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  // A list of one is not a number: it is written as JSON.
  if (!Array.isArray(value) || value.length < 2) return undefined;
  return value.every((item) => typeof item === "number") ? value.join(", ") : undefined;
}

/** What a line of text says, or why it says nothing. */
export type SettingReading = { readonly setting: unknown } | { readonly fault: string };

/** Reads a line of text; the empty text is no setting. */
export function readSetting(text: string): SettingReading {
  const trimmed = text.trim();
  if (trimmed === "") return { setting: undefined };
  if (/^[[{"]/.test(trimmed)) {
    try {
      return { setting: JSON.parse(trimmed) };
    } catch {
      return wrong(trimmed);
    }
  }
  const clauses = trimmed.split(";").map((clause) => clause.trim());
  if (clauses.at(-1) === "") clauses.pop();
  const conditionals: Conditional[] = [];
  for (const clause of clauses) {
    const [, filter, values = clause] = /^([^:]*):(.*)$/.exec(clause) ?? [];
    const value = readValue(values);
    if (value === undefined || filter?.trim() === "") return wrong(clause);
    conditionals.push(filter === undefined ? { value } : { filter: filter.trim(), value });
  }
  const [only] = conditionals;
  if (!only) return wrong(trimmed);
  const isPlain = conditionals.length === 1 && only.filter === undefined;
  return { setting: isPlain ? only.value : conditionals };
}

function readValue(text: string): number | boolean | number[] | undefined {
  const items = text.split(",").map((item) => item.trim());
  if (items.length === 1 && (items[0] === "true" || items[0] === "false")) {
    return items[0] === "true";
  }
  const numbers = items.map((item) => item === "" ? NaN : Number(item));
  if (!numbers.every(Number.isFinite)) return undefined;
  return numbers.length === 1 ? numbers[0] : numbers;
}

function wrong(text: string): { readonly fault: string } {
  return {
    fault: "Must be a number, numbers over the layers such as 0.2, 0.8, or such by names like " +
      `mlp: 0.2, 0.8; 0.4: current value is ${text}`,
  };
}
