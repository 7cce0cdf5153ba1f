/**
 * How a host starts the engine's workers, and where it has ONNX Runtime's code.
 *
 * A host that runs the modules as they are needs nothing of its own: {@linkcode moduleWorkers}. A bundle has the
 * scripts and the code under addresses of its own, and hands in where they are.
 *
 * @module
 */

/** The scripts that run on workers: jobs on chunks, and one workspace. */
export type WorkerScript = "chunks" | "workspace";

/** What the engine asks its host for. */
export interface EngineHost {
  /** Starts a worker; absent where the host has none. */
  readonly startWorker?: (script: WorkerScript) => Worker;
  /** Where ONNX Runtime's WebAssembly for a processor is. */
  readonly runtimeCode: () => URL;
}

/** The host's own constructor: on its first run on this thread, ONNX Runtime puts Node's in its place. */
const HostWorker: typeof Worker | undefined = globalThis.Worker;

/** The modules beside this one, on a host that loads them as they are. */
export const moduleWorkers: EngineHost = {
  ...(HostWorker === undefined ? {} : {
    startWorker(script) {
      const module = script === "chunks" ? "./worker.ts" : "./workspace_worker.ts";
      return new HostWorker(new URL(module, import.meta.url), { type: "module" });
    },
  }),
  runtimeCode: () => new URL("ort-wasm-simd-threaded.wasm", import.meta.resolve("onnxruntime-web")),
};
