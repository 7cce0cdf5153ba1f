/**
 * Conditionals whose condition depends on shapes only: once the shapes are fixed, one branch is taken in every run.
 *
 * @module
 */
import type { Expansion, Expansions } from "../rule.ts";
import { nestedGraph } from "./nested_graph.ts";

const conditional: Expansion = (step) => {
  const [condition] = step.numbers(step.node.inputs[0]) ?? [];
  if (condition === undefined) return undefined;
  return nestedGraph(step, condition ? "then_branch" : "else_branch")?.write([]);
};

/** Expansions of this family. */
export const CONDITIONAL: Expansions = { If: conditional };
