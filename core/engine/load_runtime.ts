/**
 * Loads ONNX Runtime Web once per thread.
 *
 * @module
 */
import { inTurn } from "../in_turn.ts";
import { Problem } from "../problem.ts";
import { substituteModule } from "./runtime_module.ts";

/** The package's module. */
export type Runtime = typeof import("onnxruntime-web");

/** Answers the runtime's compiled code if another thread has it already. */
export type CompiledRuntime = () => Promise<WebAssembly.Module | undefined>;

let loading: Promise<Runtime> | undefined;

/**
 * The runtime of this thread, with one WebAssembly thread; loaded on the first call.
 *
 * @throws {Problem} `unavailable` if it does not load; the next call tries again.
 */
export function loadRuntime(module?: CompiledRuntime): Promise<Runtime> {
  loading ??= Promise.all([import("onnxruntime-web"), module?.()]).then(([runtime, compiled]) => {
    runtime.env.wasm.numThreads = 1;
    runtime.env.logLevel = "error";
    if (compiled) runtime.env.wasm.wasmBinary = substituteModule(compiled);
    return runtime;
  }).catch((error) => {
    loading = undefined;
    throw new Problem(
      "unavailable",
      `Cannot start the engine as ONNX Runtime does not load: ${error}`,
    );
  });
  return loading;
}

/**
 * Runs what calls the runtime after what called it before: it keeps the arguments of a call on one stack per
 * thread, which calls that overlap would overwrite for each other.
 */
export const exclusively: <Result>(call: () => Promise<Result>) => Promise<Result> = inTurn();
