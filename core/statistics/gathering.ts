/**
 * What statistics are gathered from, and what comes of it.
 *
 * @module
 */
import type { BoundInputs } from "../atm/batches.ts";
import type { Workspace } from "../engine/workspace.ts";
import type { ParametricModel } from "../gradient/parameters.ts";

/** The rows of one task on their way through a model whose parameters a workspace keeps. */
export interface Gathering {
  readonly workspace: Workspace;
  readonly model: ParametricModel;
  readonly data: BoundInputs;
  /** The rows to take, by number. */
  readonly rows: Uint32Array;
  /** Names of the parameters that statistics are taken for. */
  readonly wanted: ReadonlySet<string>;
  readonly signal: AbortSignal;
  /** Is told how many rows are done. */
  readonly onRows?: (done: number) => void;
}

/** What the matrix of a layer is about. */
export interface LayerInfo {
  /** The axis of the weight that meets the inputs: 1 for `[out, in]` and convolutions, 0 for `[in, out]`. */
  readonly axis: 0 | 1;
  /** Name of the bias whose column of ones the matrix has as its last. */
  readonly bias?: string;
  /** Rows of layer inputs that the matrix is the mean over. */
  readonly rows: number;
}

/** Places the values of every parameter. */
export async function placeParameters(
  workspace: Workspace,
  { parameters }: ParametricModel,
  signal: AbortSignal,
): Promise<void> {
  for (const { input, shape, read } of parameters.values()) {
    const values = await read(signal);
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    await workspace.place({ [input]: { type: "float32", shape, bytes } });
  }
}
