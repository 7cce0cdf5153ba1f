/**
 * Which layer a tensor belongs to, and in which order layers stand.
 *
 * @module
 */
import { blockOf, isAfterBlocks } from "../merge/layers.ts";

/** A layer's name and what it is sorted by. */
export interface LayerName {
  readonly name: string;
  /** 0 before the blocks, 1 a block, 2 behind the blocks. */
  readonly stage: 0 | 1 | 2;
  readonly container: string;
  readonly index: number;
}

/** The block of a tensor, or outside the blocks the module: its name without the last component. */
export function layerOf(tensor: string): LayerName {
  const block = blockOf(tensor);
  if (block !== undefined) {
    const { container, index } = block;
    return {
      name: container === "" ? String(index) : `${container}.${index}`,
      stage: 1,
      container,
      index,
    };
  }
  const end = tensor.lastIndexOf(".");
  const name = end > 0 ? tensor.slice(0, end) : tensor;
  const after = isAfterBlocks(tensor);
  // The last norm stands before the head.
  const index = after && !/norm|ln_/.test(tensor) ? 1 : 0;
  return { name, stage: after ? 2 : 0, container: name, index };
}

/** The order of layers over the depth of the model; containers and modules by name, decoders last. */
export function byDepth(left: LayerName, right: LayerName): number {
  if (left.stage !== right.stage) return left.stage - right.stage;
  const decoding = Number(/decoder/.test(left.container)) - Number(/decoder/.test(right.container));
  const container = decoding || compare(left.container, right.container);
  const index = left.index - right.index;
  return left.stage === 1 ? container || index : index || container;
}

function compare(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
