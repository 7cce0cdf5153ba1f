/**
 * ONNX Runtime Web on WebGPU behind the {@linkcode Engine} port.
 *
 * GPUs have no float64, so that only graphs in float32 come here: the maps. Sums, scores and whatever a rank hangs
 * on stay on the processor, and with them every selection is the same as there.
 *
 * @module
 */
import type { InferenceSession, Tensor } from "onnxruntime-web";
import type { Engine, EngineTensor } from "../engine.ts";
import { exclusively } from "../load_runtime.ts";

/** How many sessions are kept; the least recently used one is released beyond that. */
const MAXIMUM_SESSIONS = 8;

type Runtime = typeof import("onnxruntime-web/webgpu");

let loading: Promise<Runtime> | undefined;

/** The runtime of this thread. */
function loadWebgpu(): Promise<Runtime> {
  loading ??= withoutOpaqueLocation(() => import("onnxruntime-web/webgpu")).then((runtime) => {
    runtime.env.wasm.numThreads = 1;
    runtime.env.logLevel = "error";
    return runtime;
  }).catch((error) => {
    loading = undefined;
    throw error;
  });
  return loading;
}

/**
 * The package resolves its own address against the location's origin as it loads. In a worker that was started from
 * a file that is the word `null`, with which nothing can be resolved; without a location it asks for none.
 */
async function withoutOpaqueLocation<Result>(load: () => Promise<Result>): Promise<Result> {
  const location = Object.getOwnPropertyDescriptor(globalThis, "location");
  if (globalThis.location?.origin !== "null" || !location?.configurable) return await load();
  Object.defineProperty(globalThis, "location", { value: undefined, configurable: true });
  try {
    return await load();
  } finally {
    Object.defineProperty(globalThis, "location", location);
  }
}

/** An engine of this thread; whatever goes wrong on the device is thrown by {@linkcode Engine.run}. */
export function webgpuRuntime(): Engine {
  const sessions = new Map<string, Promise<InferenceSession>>();

  const session = (runtime: Runtime, key: string, build: () => Uint8Array) => {
    const cached = sessions.get(key);
    sessions.delete(key);
    const active = cached ?? exclusively(() =>
      runtime.InferenceSession.create(build(), {
        executionProviders: ["webgpu"],
        graphOptimizationLevel: "all",
        // It warns of every shape that is computed on the processor.
        logSeverityLevel: 3,
        enableCpuMemArena: false,
        enableMemPattern: false,
      })
    );
    sessions.set(key, active);
    if (!cached) active.catch(() => sessions.delete(key));
    for (const [oldest, stale] of sessions) {
      if (sessions.size <= MAXIMUM_SESSIONS) break;
      sessions.delete(oldest);
      stale.then((value) => value.release()).catch(() => {});
    }
    return active;
  };

  return {
    async run(key, build, feeds) {
      const runtime = await loadWebgpu();
      const active = await session(runtime, key, build);
      const inputs: Record<string, Tensor> = {};
      for (const name of active.inputNames) {
        const feed = feeds[name];
        if (!feed) throw new Error(`The graph ${key} lacks its input ${name}`);
        inputs[name] = new runtime.Tensor(
          feed.type,
          feed.data as Float32Array<ArrayBuffer>,
          [...feed.shape],
        ) as Tensor;
      }
      const results = await exclusively(() => active.run(inputs));
      const outputs: Record<string, EngineTensor> = {};
      for (const [name, tensor] of Object.entries(results)) {
        outputs[name] = {
          type: tensor.type as EngineTensor["type"],
          shape: tensor.dims,
          data: await tensor.getData(true) as EngineTensor["data"],
        };
      }
      return outputs;
    },
    async warm() {
      await loadWebgpu();
    },
    async close() {
      const open = [...sessions.values()];
      sessions.clear();
      await Promise.allSettled(open.map(async (promise) => (await promise).release()));
    },
  };
}
