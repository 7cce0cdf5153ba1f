/**
 * All tensors of an analysis as a table.
 *
 * @module
 */
import type { Analysis } from "../../../../../core/analysis/answer.ts";
import type { Table } from "../../charts/table.ts";

/** A row for each tensor. */
export function tensorTable({ models, tensors }: Analysis): Table {
  const ranked = tensors.some(({ spectrum }) => spectrum);
  return {
    columns: [
      "tensor",
      "shape",
      "elements",
      "elements in conflict",
      "magnitude in conflict",
      ...models.map((name) => `norm ${name}`),
      ...(ranked ? models.map((name) => `effective rank ${name}`) : []),
      ...(ranked ? ["interference"] : []),
    ],
    rows: tensors.map(({ name, shape, elements, conflict, norms, spectrum }) => [
      name,
      shape.join(" × "),
      elements,
      conflict.elements,
      conflict.mass,
      ...norms.task_vectors,
      ...(ranked ? models.map((_, i) => spectrum?.effective_rank[i] ?? null) : []),
      ...(ranked ? [spectrum?.interference ?? null] : []),
    ]),
  };
}
