/**
 * The port of the inference engine: runs serialized ONNX graphs.
 *
 * @module
 */

/** A tensor on its way into or out of the engine. */
export interface EngineTensor {
  readonly type: "float32" | "float64" | "int64";
  readonly shape: readonly number[];
  readonly data: Float32Array | Float64Array | BigInt64Array;
}

/** Runs graphs; sessions are cached by key. */
export interface Engine {
  /**
   * Runs a graph.
   *
   * @param key Identifies the graph; `build` is called only if no session is cached under it.
   * @param build Answers the serialized ModelProto.
   * @param feeds Inputs by name; copied, so their memory may be reused when the promise resolves.
   * @returns Outputs by name, in memory of their own.
   * @throws {Problem} `unavailable` if the engine cannot start.
   */
  run(
    key: string,
    build: () => Uint8Array,
    feeds: Readonly<Record<string, EngineTensor>>,
  ): Promise<Readonly<Record<string, EngineTensor>>>;
  /** Loads the engine ahead of the first run. */
  warm(): Promise<void>;
  /** Releases every session. */
  close(): Promise<void>;
}
