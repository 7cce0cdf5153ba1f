/**
 * What a loss adds to a graph.
 *
 * @module
 */
import type { ElementType, Value } from "../../onnx/model.ts";

/** The output that the loss reads. */
export interface LossOutput {
  readonly value: Value;
  readonly shape: readonly number[];
  readonly type: "float32" | "float64";
}

/** What it is compared with. */
export interface LossTarget {
  readonly value: Value;
  readonly shape: readonly number[];
  readonly type: ElementType;
}

/** What a loss answers; all scalars are of the output's type. */
export interface LossParts {
  /** Mean over the counted targets; 0 if there are none. */
  readonly loss: Value;
  /** Gradient of the loss by the output, of its shape and type; only if it was asked for. */
  readonly gradient: Value | undefined;
  /** Number of counted targets. */
  readonly counted: Value;
  /** Number of counted targets that are predicted right; 0 where the loss knows no right and wrong. */
  readonly correct: Value;
}
