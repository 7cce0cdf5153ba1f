/**
 * What an optimizer adds to a training graph.
 *
 * @module
 */
import type { Value } from "../../onnx/model.ts";

/** A parameter with its gradient. */
export interface ParameterStep {
  readonly name: string;
  readonly value: Value;
  readonly gradient: Value;
  readonly shape: readonly number[];
  readonly type: "float32";
}

/** State of a parameter that is kept between steps and starts at zero. */
export interface OptimizerState {
  readonly name: string;
  readonly parameter: string;
  readonly shape: readonly number[];
  readonly updated: Value;
}

/** What an optimizer answers. */
export interface OptimizerParts {
  /** New values by parameter name. */
  readonly updated: ReadonlyMap<string, Value>;
  readonly state: readonly OptimizerState[];
}
