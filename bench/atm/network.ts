/**
 * What the two networks of the experiment share: named weights with seeded values, and a linear head.
 *
 * Both are written with the graph builder of the service, so that nothing but Deno is needed to run the experiment.
 *
 * @module
 */
import { createGraph, type GraphBuilder, type Value } from "../../core/onnx/graph_builder.ts";
import { tensorOf } from "../../core/onnx/element_type.ts";
import type { OnnxModel, OnnxTensor } from "../../core/onnx/model.ts";
import { writeModel } from "../../core/onnx/write_model.ts";
import { seededNormal } from "./random.ts";

/** A network of the experiment. */
export interface Network {
  readonly name: string;
  /** What it is, for the report. */
  readonly description: string;
  /** Times as many epochs of pretraining as the plan says: some take longer to learn from few rows. */
  readonly patience: number;
  /**
   * Learning rate at which the drift of a round is measured: so small that the loss is hardly more than curved over
   * a few steps, so large that float32 resolves the gap.
   */
  readonly driftRate: number;
  /** Elements that the head reads. */
  readonly width: number;
  /** Adds the part before the head: image `[N, 1, 28, 28]` in, features `[N, width]` out. */
  readonly features: (graph: NetworkGraph, image: Value) => Value;
}

/** A graph under construction whose weights get names and values. */
export interface NetworkGraph extends GraphBuilder {
  /** A weight with normal values of that deviation, or with one value everywhere. */
  weight(name: string, shape: readonly number[], values: { deviation: number } | number): Value;
}

/** A network as an ONNX model with a head for this many classes, its values drawn from the seed. */
export function buildNetwork(network: Network, classes: number, seed: number): OnnxModel {
  const graph = createGraph(network.name);
  const weights = new Map<Value, OnnxTensor>();
  const normal = seededNormal(seed);
  const building: NetworkGraph = {
    ...graph,
    weight(name, shape, values) {
      const count = shape.reduce((product, size) => product * size, 1);
      const numbers = Array.from(
        { length: count },
        () => typeof values === "number" ? values : values.deviation * normal(),
      );
      weights.set(name, tensorOf("float32", shape, numbers));
      return name;
    },
  };
  const image = graph.input("image", "float32", ["N", 1, 28, 28]);
  const features = network.features(building, image);
  const { width } = network;
  const weight = building.weight("head.weight", [classes, width], { deviation: width ** -0.5 });
  const bias = building.weight("head.bias", [classes], 0);
  const logits = graph.node("Gemm", [features, weight, bias], { transB: 1 });
  graph.output(logits, "logits", "float32", ["N", classes]);
  const model = graph.model();
  const initializers = new Map([...model.graph.initializers, ...weights]);
  return { ...model, graph: { ...model.graph, initializers } };
}

/** The model as a file. */
export function networkBytes(model: OnnxModel): Uint8Array<ArrayBuffer> {
  return writeModel(model);
}

/** The named weights of a model, without the constants of its graph. */
export function networkWeights({ graph }: OnnxModel): ReadonlyMap<string, OnnxTensor> {
  return new Map([...graph.initializers].filter(([name]) => /\.(weight|bias)$/.test(name)));
}
