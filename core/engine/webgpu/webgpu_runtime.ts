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
import type { GpuBuffer, GpuDevice } from "./gpu_device.ts";

/** A float32 tensor in memory of the device. */
export interface DeviceTensor {
  readonly buffer: GpuBuffer;
  readonly shape: readonly number[];
}

/** An engine whose graphs also read and write memory of its device. */
export interface GpuEngine extends Engine {
  /** The device on which graphs run; making the session of a key makes it. */
  device(key: string, build: () => Uint8Array): Promise<GpuDevice>;
  /**
   * Runs a graph as {@linkcode Engine.run} does.
   *
   * @param held Inputs and outputs by name that lie on the device; outputs among them are not answered.
   */
  runHeld(
    key: string,
    build: () => Uint8Array,
    feeds: Readonly<Record<string, EngineTensor>>,
    held: Readonly<Record<string, DeviceTensor>>,
  ): Promise<Readonly<Record<string, EngineTensor>>>;
}

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

/** An engine of this thread; whatever goes wrong on the device is thrown by its runs. */
export function webgpuRuntime(): GpuEngine {
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

  const engine: GpuEngine = {
    run: (key, build, feeds) => engine.runHeld(key, build, feeds, {}),
    async device(key, build) {
      const runtime = await loadWebgpu();
      await session(runtime, key, build);
      return await (runtime.env.webgpu as { readonly device: Promise<GpuDevice> }).device;
    },
    async runHeld(key, build, feeds, held) {
      const runtime = await loadWebgpu();
      const active = await session(runtime, key, build);
      const tensor = (name: string): Tensor | undefined => {
        const lent = held[name];
        if (lent) {
          return runtime.Tensor.fromGpuBuffer(lent.buffer as never, {
            dataType: "float32",
            dims: [...lent.shape],
          }) as Tensor;
        }
        const feed = feeds[name];
        return feed && new runtime.Tensor(
          feed.type,
          feed.data as Float32Array<ArrayBuffer>,
          [...feed.shape],
        ) as Tensor;
      };
      const inputs: Record<string, Tensor> = {};
      for (const name of active.inputNames) {
        const input = tensor(name);
        if (!input) throw new Error(`The graph ${key} lacks its input ${name}`);
        inputs[name] = input;
      }
      const fetches = Object.fromEntries(
        active.outputNames.map((name) => [name, held[name] ? tensor(name)! : null] as const),
      );
      const results = await exclusively(() => active.run(inputs, fetches));
      const outputs: Record<string, EngineTensor> = {};
      for (const [name, result] of Object.entries(results)) {
        if (held[name]) continue;
        outputs[name] = {
          type: result.type as EngineTensor["type"],
          shape: result.dims,
          data: await result.getData(true) as EngineTensor["data"],
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
  return engine;
}
