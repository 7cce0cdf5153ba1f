/**
 * ONNX Runtime Web on WebAssembly behind the {@linkcode Engine} port.
 *
 * The runtime is imported on first use (14 MB of WebAssembly, about half a second), and compiled once
 * per thread. A session costs milliseconds, so only the most recently used ones are kept.
 *
 * @module
 */
import type { InferenceSession, Tensor } from "onnxruntime-web";
import type { Engine, EngineTensor } from "./engine.ts";
import { type CompiledRuntime, exclusively, loadRuntime } from "./load_runtime.ts";

/** How many sessions are kept; the least recently used one is released beyond that. */
const MAXIMUM_SESSIONS = 24;

/**
 * An engine of this thread.
 *
 * @param module Answers the runtime's compiled code if another thread has it already.
 */
export function onnxRuntime(module?: CompiledRuntime): Engine {
  const sessions = new Map<string, Promise<InferenceSession>>();

  const load = () => loadRuntime(module);

  const session = async (key: string, build: () => Uint8Array) => {
    const runtime = await load();
    const cached = sessions.get(key);
    if (cached) {
      sessions.delete(key);
      sessions.set(key, cached);
      return await cached;
    }
    const created = exclusively(() =>
      runtime.InferenceSession.create(build(), {
        graphOptimizationLevel: "all",
        enableCpuMemArena: false,
        enableMemPattern: false,
      })
    );
    sessions.set(key, created);
    created.catch(() => sessions.delete(key));
    for (const [oldest, stale] of sessions) {
      if (sessions.size <= MAXIMUM_SESSIONS) break;
      sessions.delete(oldest);
      stale.then((value) => value.release()).catch(() => {});
    }
    return await created;
  };

  return {
    async run(key, build, feeds) {
      const runtime = await load();
      const active = await session(key, build);
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
          data: tensor.data as EngineTensor["data"],
        };
      }
      return outputs;
    },
    async warm() {
      await load();
    },
    async close() {
      const open = [...sessions.values()];
      sessions.clear();
      await Promise.allSettled(open.map(async (promise) => (await promise).release()));
    },
  };
}
