/**
 * An emitter that can also declare inputs of the graph.
 *
 * @module
 */
import type { ElementType, Value } from "../onnx/model.ts";
import type { Emitter } from "./rule.ts";

/** Adds nodes, constants and inputs. */
export interface InputEmitter extends Emitter {
  /** Declares an input; declaring the same name again answers the same value. */
  input(name: string, type: ElementType, shape: readonly number[]): Value;
}
