/**
 * The page `methods.md`, made from the table of methods.
 *
 * @module
 */
import type { MergeMethod, ParameterSpec } from "../core/methods/method.ts";
import { METHODS } from "../core/methods/mod.ts";

/** The page's text. */
export function methodsPage(): string {
  const methods = [...METHODS.values()];
  return [
    "<!-- Made by `deno task docs` from core/methods/. -->",
    "",
    "# Merge methods",
    "",
    "What `merge_method` of a recipe may be. The service answers this table at `GET /methods`, parameters as",
    "JSON Schema. In formulas, `b` is the base, `xᵢ` model i, `δᵢ = xᵢ − b` its task vector, `wᵢ` its weight, `λ`",
    "is `lambda`, `[c]` is 1 where c holds and 0 elsewhere, and everything is per tensor unless it says otherwise.",
    "Per-model parameters may stand under a model or, for all, under the top-level `parameters`; every value may",
    "differ by `filter`, and numbers other than integers may be lists (gradients over the layers). A pass reads",
    "all inputs once; memory is that of chunks, whatever the size of a tensor, and what is stated here.",
    "`POST /plan` tells passes and memory of a recipe.",
    "",
    "| method | what it does | base | models |",
    "| --- | --- | --- | --- |",
    ...methods.map((method) =>
      row([link(method), escaped(method.title), baseOf(method), countOf(method)])
    ),
    "",
    ...methods.flatMap(section),
  ].join("\n");
}

/** What the models of a method must come with. */
const STATISTICS = {
  fisher:
    "every model needs the diagonal Fisher information (`POST /statistics` with `kind: fisher`)",
  gram:
    "every model needs the matrices of its layers' inputs (`POST /statistics` with `kind: gram`)",
  gram_along: "every model needs the matrices of layer inputs along this very merge " +
    "(`POST /statistics` with `kind: gram` and the recipe as `merge`)",
} as const;

function section(method: MergeMethod): string[] {
  const { guide, parameters } = method;
  const entries = Object.entries(parameters);
  return [
    `## \`${method.name}\``,
    "",
    `${escaped(method.title)}.`,
    "",
    ...(guide
      ? [
        `- **Formula**: ${escaped(guide.formula)}`,
        `- **Passes and memory**: ${guide.passes}`,
        `- **When to use it**: ${guide.use}`,
        `- **When not**: ${guide.avoid}`,
      ]
      : []),
    ...(method.statistics ? [`- **Statistics**: ${STATISTICS[method.statistics]}`] : []),
    `- **Paper**: ${paperOf(method)}`,
    "",
    ...(entries.length === 0 ? ["It has no parameters.", ""] : [
      "| parameter | of | value | default | meaning |",
      "| --- | --- | --- | --- | --- |",
      ...entries.map(([name, spec]) =>
        row([
          `\`${name}\``,
          spec.scope === "model" ? "model" : "merge",
          valuesOf(spec),
          defaultOf(spec),
          escaped(spec.description),
        ])
      ),
      "",
    ]),
  ];
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`;
}

/** Bars would end a cell of a table, and stars or underscores change the type. */
function escaped(text: string): string {
  return text.replaceAll(/[|*_]/g, (character) => `\\${character}`);
}

function link({ name }: MergeMethod): string {
  return `[\`${name}\`](#${name})`;
}

function baseOf({ base }: MergeMethod): string {
  return base === "listed" ? "only if listed" : base;
}

function countOf({ models: { minimum, maximum } }: MergeMethod): string {
  if (minimum === maximum) return String(minimum);
  return maximum === Infinity ? `${minimum} or more` : `${minimum} to ${maximum}`;
}

function paperOf({ paper }: MergeMethod): string {
  if (!paper) return "none";
  const source = paper.arxiv
    ? `, [arXiv ${paper.arxiv}](https://arxiv.org/abs/${paper.arxiv})`
    : "";
  return `${paper.title}, ${paper.year}${source}`;
}

function valuesOf(spec: ParameterSpec): string {
  switch (spec.type) {
    case "boolean":
      return "true or false";
    case "enum":
      return (spec.values ?? []).map((value) => `\`${value}\``).join(", ");
    case "model":
      return "the name of a model";
    case "filters":
      return "parts of tensor names";
    default: {
      const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = spec;
      const low = minimum ?? exclusiveMinimum;
      const high = maximum ?? exclusiveMaximum;
      const kind = spec.type === "integer" ? "integer" : "number";
      if (low === undefined && high === undefined) return kind;
      const open = minimum === undefined ? "(" : "[";
      const close = maximum === undefined ? ")" : "]";
      return `${kind} in ${open}${low ?? "−∞"}, ${high ?? "∞"}${close}`;
    }
  }
}

function defaultOf({ type, default: value, optional }: ParameterSpec): string {
  if (optional) return "none";
  if (value === undefined) return "required";
  if (type === "filters") return "none";
  return value === "" ? "none" : `\`${value}\``;
}
