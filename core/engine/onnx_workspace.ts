/**
 * The {@linkcode Workspace} port on ONNX Runtime Web, on this thread.
 *
 * @module
 */
import type { InferenceSession, Tensor } from "onnxruntime-web";
import type { ElementType, OnnxTensor, Value } from "../onnx/model.ts";
import { Problem } from "../problem.ts";
import { type CompiledRuntime, exclusively, loadRuntime, type Runtime } from "./load_runtime.ts";
import { type Tensors, UPDATED, type Workspace } from "./workspace.ts";

/** An empty workspace of this thread. */
export function onnxWorkspace(module?: CompiledRuntime): Workspace {
  const sessions = new Map<string, InferenceSession>();
  const kept = new Map<Value, Tensor>();

  const workspace: Workspace = {
    async load(key, model, optimize = true) {
      await workspace.unload(key);
      const runtime = await loadRuntime(module);
      const session = await createSession(runtime, model, optimize);
      sessions.set(key, session);
      const outputs: Record<Value, ElementType> = {};
      for (const info of session.outputMetadata) {
        if (info.isTensor) outputs[info.name] = info.type as ElementType;
      }
      return { outputs };
    },
    async unload(key) {
      const session = sessions.get(key);
      sessions.delete(key);
      if (session) await exclusively(() => session.release());
    },
    async place(values) {
      const runtime = await loadRuntime(module);
      for (const [name, value] of Object.entries(values)) {
        kept.set(name, toTensor(runtime, value, true));
      }
    },
    async run(key, feeds, fetches) {
      const runtime = await loadRuntime(module);
      const session = sessions.get(key);
      if (!session) throw new Error(`No graph is loaded under the key ${key}`);
      const inputs: Record<string, Tensor> = {};
      for (const name of session.inputNames) {
        const fed = feeds[name];
        const value = fed ? toTensor(runtime, fed, false) : kept.get(name);
        if (!value) throw new Error(`The graph ${key} lacks its input ${name}`);
        inputs[name] = value;
      }
      const results = await exclusively(() =>
        fetches ? session.run(inputs, fetches) : session.run(inputs)
      );
      const answer: Record<Value, OnnxTensor> = {};
      for (const [name, tensor] of Object.entries(results)) {
        if (!fetches && name.startsWith(UPDATED)) kept.set(name.slice(UPDATED.length), tensor);
        else answer[name] = fromTensor(tensor);
      }
      return answer;
    },
    read(names) {
      const answer: Record<Value, OnnxTensor> = {};
      for (const name of names) {
        const tensor = kept.get(name);
        if (!tensor) throw new Error(`No value is kept under the name ${name}`);
        const { type, shape, bytes } = fromTensor(tensor);
        answer[name] = { type, shape, bytes: bytes.slice() };
      }
      return Promise.resolve(answer satisfies Tensors);
    },
    async close() {
      const open = [...sessions.values()];
      sessions.clear();
      kept.clear();
      await Promise.allSettled(open.map((session) => exclusively(() => session.release())));
    },
  };
  return workspace;
}

async function createSession(
  runtime: Runtime,
  model: Uint8Array<ArrayBuffer>,
  optimize: boolean,
): Promise<InferenceSession> {
  try {
    return await exclusively(() =>
      runtime.InferenceSession.create(model, {
        graphOptimizationLevel: optimize ? "all" : "disabled",
        enableCpuMemArena: false,
        enableMemPattern: false,
      })
    ) as unknown as InferenceSession;
  } catch (error) {
    throw new Problem(
      "unsupported-operator",
      `Cannot load the graph as ONNX Runtime refuses it: ${
        error instanceof Error ? error.message : error
      }`,
      {},
      error,
    );
  }
}

function toTensor(runtime: Runtime, value: OnnxTensor, copy: boolean): Tensor {
  const aligned = copy || value.bytes.byteOffset % 8 !== 0 ? value.bytes.slice() : value.bytes;
  return new runtime.Tensor(
    value.type as "float32",
    typed(value.type, aligned as Uint8Array<ArrayBuffer>) as Float32Array<ArrayBuffer>,
    [...value.shape],
  ) as Tensor;
}

function typed(type: ElementType, bytes: Uint8Array<ArrayBuffer>): ArrayBufferView<ArrayBuffer> {
  const { buffer, byteOffset, byteLength } = bytes;
  switch (type) {
    case "float32":
      return new Float32Array(buffer, byteOffset, byteLength / 4);
    case "float64":
      return new Float64Array(buffer, byteOffset, byteLength / 8);
    case "int64":
      return new BigInt64Array(buffer, byteOffset, byteLength / 8);
    case "uint64":
      return new BigUint64Array(buffer, byteOffset, byteLength / 8);
    case "int32":
      return new Int32Array(buffer, byteOffset, byteLength / 4);
    case "uint32":
      return new Uint32Array(buffer, byteOffset, byteLength / 4);
    case "int16":
      return new Int16Array(buffer, byteOffset, byteLength / 2);
    case "uint16":
    case "float16":
    case "bfloat16":
      return new Uint16Array(buffer, byteOffset, byteLength / 2);
    case "int8":
      return new Int8Array(buffer, byteOffset, byteLength);
    default:
      return bytes;
  }
}

function fromTensor(tensor: Tensor): OnnxTensor {
  const type = tensor.type as ElementType;
  if (type === "string") return { type, shape: tensor.dims, bytes: new Uint8Array() };
  const data = tensor.data as Float32Array;
  return {
    type,
    shape: tensor.dims,
    bytes: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
  };
}
