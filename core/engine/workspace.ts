/**
 * The port for graphs that work on kept values: parameters and optimizer state stay where the engine is
 * (on its thread, or on the device) from one run to the next.
 *
 * @module
 */
import type { ElementType, OnnxTensor, Value } from "../onnx/model.ts";

/** An output named with this prefix takes the place of the kept value of the rest of its name. */
export const UPDATED = "updated.";

/** What a loaded graph answers. */
export interface LoadedGraph {
  /** Element types of the graph's outputs by name. */
  readonly outputs: Readonly<Record<Value, ElementType>>;
}

/** Tensors by name. */
export type Tensors = Readonly<Record<Value, OnnxTensor>>;

/** Kept values, and graphs that read and update them. */
export interface Workspace {
  /**
   * Makes a session of a graph.
   *
   * @param optimize Whether ONNX Runtime may rewrite the graph, which takes time and pays for repeated runs;
   *   default true.
   * @throws {Problem} `unsupported-operator` if ONNX Runtime refuses the graph.
   */
  load(key: string, model: Uint8Array<ArrayBuffer>, optimize?: boolean): Promise<LoadedGraph>;
  /** Releases the session of a key, if there is one. */
  unload(key: string): Promise<void>;
  /** Keeps values under their names. */
  place(values: Tensors): Promise<void>;
  /**
   * Runs a graph. Inputs that are not fed are the kept values of their names.
   *
   * @param feeds Their memory may be reused when the promise resolves.
   * @param fetches The outputs that are answered; without it all but those named {@linkcode UPDATED}, which
   *   are kept instead of answered.
   */
  run(key: string, feeds: Tensors, fetches?: readonly Value[]): Promise<Tensors>;
  /** Copies of kept values. */
  read(names: readonly Value[]): Promise<Tensors>;
  /** Releases everything; a run in progress is abandoned. */
  close(): Promise<void>;
}

/** Starts an empty workspace. */
export type OpenWorkspace = () => Workspace;
