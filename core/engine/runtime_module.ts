/**
 * ONNX Runtime's WebAssembly, compiled once per process and shared by all threads.
 *
 * Each thread would otherwise read and compile 14 MB of its own, which costs half a second and some
 * 20 MB apiece. A compiled module can be posted to a worker; its code is then shared.
 *
 * @module
 */

import { type EngineHost, moduleWorkers } from "./start_worker.ts";

/** Compiles the runtime; undefined where the package's file cannot be read (then each thread loads its own). */
export async function compileRuntime(
  host: EngineHost = moduleWorkers,
): Promise<WebAssembly.Module | undefined> {
  try {
    const response = await fetch(host.runtimeCode());
    if (!response.ok) return undefined;
    return await WebAssembly.compile(await response.arrayBuffer());
  } catch {
    return undefined;
  }
}

/** What the runtime calls when it starts; the overload for bytes. */
type Instantiate = (
  bytes: BufferSource,
  imports?: WebAssembly.Imports,
) => Promise<WebAssembly.WebAssemblyInstantiatedSource>;

/**
 * Makes the next instantiation from bytes on this thread use a compiled module instead. The runtime takes
 * bytes only, so it is given a few that say nothing, and its one call is answered from the module.
 *
 * @returns The bytes to give to the runtime.
 */
export function substituteModule(module: WebAssembly.Module): ArrayBuffer {
  const marker = new ArrayBuffer(8);
  const scope = WebAssembly as { instantiate: Instantiate };
  const original = scope.instantiate;
  scope.instantiate = async (bytes, imports) => {
    if (bytes !== marker && !(ArrayBuffer.isView(bytes) && bytes.buffer === marker)) {
      return await original(bytes, imports);
    }
    scope.instantiate = original;
    return { module, instance: await WebAssembly.instantiate(module, imports) };
  };
  return marker;
}
