/**
 * Brings the graph of any exporter to one form: no functions, no sequences, no halves, no Constant nodes, and every
 * operator as in operator set 21.
 *
 * @module
 */
import { Problem } from "../../problem.ts";
import type { OnnxGraph, OnnxModel } from "../model.ts";
import { OPSET } from "../schema.ts";
import { decideIfs } from "./constant_ifs.ts";
import { constantsToInitializers } from "./constants.ts";
import { inlineFunctions } from "./inline_functions.ts";
import { freshNames, graphsOf } from "./names.ts";
import { removeSequences } from "./sequences.ts";
import { upgradeNodes } from "./upgrade/mod.ts";
import { widenHalves } from "./widen_halves.ts";

/** The oldest operator set that is read: the first with today's broadcasting. */
const OLDEST = 7;

/**
 * A model of the same meaning in normal form; its default operator set is 21 or the model's own, if that is newer.
 * The names of its inputs, outputs and initializers stay.
 *
 * @param model Its external data is loaded.
 * @throws {Problem} `unsupported-format` for operator sets before 7; `unsupported-operator` naming the node whose
 *   form cannot be brought to set 21, or whose sequence cannot be followed; `invalid-checkpoint` and `too-large` for
 *   functions that call each other without end.
 */
export function normalizeModel(model: OnnxModel): OnnxModel {
  const fresh = freshNames(model);
  const version = versionOf(model);
  const inlined = inlineFunctions({ ...model, opsets: { ...model.opsets, "": version } }, fresh);
  const decided = decideIfs(constantsToInitializers(inlined.graph), fresh);
  const plain = removeSequences(decided, fresh);
  const upgraded = widenHalves(upgradeNodes({ ...inlined, graph: plain }, fresh));
  return {
    ...inlined,
    opsets: { ...domainsOf(upgraded, inlined.opsets), "": Math.max(OPSET, version) },
    graph: {
      ...upgraded,
      // Up to IR 3 initializers were declared as inputs as well, as their defaults.
      inputs: upgraded.inputs.filter(({ name }) => !upgraded.initializers.has(name)),
    },
  };
}

function versionOf({ opsets, functions }: OnnxModel): number {
  // A model that only calls functions, or only operators of other domains, need not name the default domain.
  const version = opsets[""] ??
    (Math.max(0, ...functions.map((held) => held.opsets[""] ?? 0)) || OPSET);
  if (version >= OLDEST) return version;
  throw new Problem(
    "unsupported-format",
    `Cannot read the ONNX model as its operator set must be at least ${OLDEST}: current value is ${version}`,
  );
}

/** Versions of the domains that are still in use. */
function domainsOf(
  graph: OnnxGraph,
  opsets: Readonly<Record<string, number>>,
): Record<string, number> {
  const used: Record<string, number> = {};
  for (const node of graph.nodes) {
    if (node.domain !== "") used[node.domain] = opsets[node.domain] ?? 1;
    for (const inner of graphsOf(node)) Object.assign(used, domainsOf(inner, opsets));
  }
  return used;
}
