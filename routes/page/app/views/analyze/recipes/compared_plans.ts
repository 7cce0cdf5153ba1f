/**
 * Two plans side by side.
 *
 * @module
 */
import type {
  PlanDocument,
  PlanDocumentTensor,
} from "../../../../../../core/merge/plan_document.ts";
import type { Table } from "../../../charts/table.ts";

/** A tensor in both plans. */
export interface ComparedTensor {
  readonly name: string;
  readonly a: PlanDocumentTensor | undefined;
  readonly b: PlanDocumentTensor | undefined;
  readonly same: boolean;
}

/** All tensors of either plan, in the order of the first. */
export function comparePlans(a: PlanDocument, b: PlanDocument): ComparedTensor[] {
  const others = new Map(b.tensors.map((tensor) => [tensor.name, tensor]));
  const first = new Map(a.tensors.map((tensor) => [tensor.name, tensor]));
  const names = [...new Set([...first.keys(), ...others.keys()])];
  const sameMethod = a.method === b.method;
  return names.map((name) => {
    const [one, other] = [first.get(name), others.get(name)];
    const text = (tensor: PlanDocumentTensor | undefined) => tensor && treatment(tensor);
    const merged = one?.action === "merge" || other?.action === "merge";
    const same = text(one) === text(other) && one?.dtype === other?.dtype &&
      (sameMethod || !merged);
    return { name, a: one, b: other, same };
  });
}

/** What a tensor gets, in words. */
export function treatment({ action, reason, parameters }: PlanDocumentTensor): string {
  const values = Object.entries(parameters).map(([name, value]) => `${name} ${written(value)}`);
  return [action, ...(reason === null ? [] : [`(${reason.replaceAll("_", " ")})`]), ...values]
    .join(" ");
}

function written(value: unknown): string {
  if (typeof value === "number") return String(Number(value.toPrecision(6)));
  if (Array.isArray(value)) return `[${value.map(written).join(", ")}]`;
  if (typeof value !== "object" || value === null) return String(value);
  return `{ ${
    Object.entries(value).map(([name, each]) => `${name} ${written(each)}`).join(", ")
  } }`;
}

/** The tensors as a table. */
export function planTable(tensors: readonly ComparedTensor[]): Table {
  return {
    columns: ["tensor", "same", "A", "B"],
    rows: tensors.map(({ name, same, a, b }) => [
      name,
      same,
      a ? treatment(a) : "absent",
      b ? treatment(b) : "absent",
    ]),
  };
}
