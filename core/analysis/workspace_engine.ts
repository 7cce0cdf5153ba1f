/**
 * A workspace as an engine: graphs are loaded when they are first run.
 *
 * @module
 */
import type { Engine, EngineTensor } from "../engine/engine.ts";
import type { Workspace } from "../engine/workspace.ts";
import type { OnnxTensor } from "../onnx/model.ts";

/** Runs graphs of double precision on a workspace, which stays the caller's to close. */
export function workspaceEngine(workspace: Workspace): Pick<Engine, "run"> {
  const loaded = new Map<string, Promise<unknown>>();
  return {
    async run(key, build, feeds) {
      let loading = loaded.get(key);
      if (loading === undefined) {
        loading = workspace.load(key, new Uint8Array(build()));
        loaded.set(key, loading);
      }
      await loading;
      const outputs = await workspace.run(key, mapped(feeds, fed));
      return mapped(outputs, answered);
    },
  };
}

function mapped<From, To>(
  values: Readonly<Record<string, From>>,
  map: (value: From) => To,
): Record<string, To> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, map(value)]));
}

/** Copied: on its way to a worker a view would take all of its buffer along. */
function fed({ type, shape, data }: EngineTensor): OnnxTensor {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice();
  return { type, shape, bytes };
}

function answered({ shape, bytes }: OnnxTensor): EngineTensor {
  return { type: "float64", shape, data: new Float64Array(bytes.slice().buffer) };
}
