/**
 * An analysis as a table (RFC 4180): a row for every model in the whole, in each layer and in each tensor.
 *
 * @module
 */
import type { Analysis, CutSummary, Summary } from "./answer.ts";

/** Writes the table; undefined numbers are empty. */
export function analysisCsv(analysis: Analysis): string {
  const { models, densities, total, layers, tensors } = analysis;
  const head = [
    "scope",
    "name",
    "model",
    "elements",
    "norm_base",
    "norm_model",
    "norm_task_vector",
    "agreeing_elements",
    "agreeing_magnitude",
    "conflict_elements",
    "conflict_mass",
    "density",
    "maximum",
    ...models.map((name) => `cosine ${name}`),
    ...densities.map((density) => `quantile ${density}`),
  ];
  const rows = [
    ...rowsOf(analysis, "total", "", total),
    ...layers.flatMap((layer) => rowsOf(analysis, "layer", layer.name, layer)),
    ...tensors.flatMap((tensor) => rowsOf(analysis, "tensor", tensor.name, tensor)),
  ];
  return [head, ...rows].map((row) => `${row.map(field).join(",")}\r\n`).join("");
}

type Field = string | number | null;

function rowsOf(
  { models, densities }: Analysis,
  scope: string,
  name: string,
  summary: Summary & Partial<CutSummary>,
): Field[][] {
  const { elements, norms, sign_agreement, conflict, density, maximum, cosines, quantiles } =
    summary;
  return models.map((model, i) => [
    scope,
    name,
    model,
    elements,
    norms.base,
    norms.models?.[i] ?? null,
    norms.task_vectors[i]!,
    sign_agreement.elements[i]!,
    sign_agreement.magnitude[i]!,
    conflict.elements,
    conflict.mass,
    density[i]!,
    maximum[i]!,
    ...cosines[i]!,
    ...densities.map((_, k) => quantiles?.[i]?.[k] ?? null),
  ]);
}

function field(value: Field): string {
  const text = value === null ? "" : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
