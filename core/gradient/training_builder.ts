/**
 * The graph builder that a training graph grows in: it starts from the observed forward graph.
 *
 * @module
 */
import { createGraph, type GraphBuilder } from "../onnx/graph_builder.ts";
import { OPSET } from "../onnx/schema.ts";
import type { ObservedGraph } from "./observe.ts";

/** A builder that holds the forward graph; the names of new values start with `backward.`. */
export function trainingBuilder(forward: ObservedGraph): GraphBuilder {
  return createGraph("training", {
    nodes: forward.nodes,
    initializers: forward.constants,
    inputs: forward.inputs,
    opsets: { ...forward.opsets, "": Math.max(OPSET, forward.opsets[""] ?? 0) },
    prefix: "backward.",
  });
}
