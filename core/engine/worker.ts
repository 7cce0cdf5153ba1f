/**
 * The entry of an engine worker: takes jobs, answers results, each with its number.
 *
 * @module
 */
import { Problem } from "../problem.ts";
import type { ChunkJob } from "./chunk_job.ts";
import { onnxRuntime } from "./onnx_runtime.ts";
import { createChunkRunner } from "./run_chunk.ts";
import {
  buffersOf,
  type WorkerReply,
  type WorkerRequest,
  type WorkerStart,
} from "./worker_protocol.ts";

/** The part of a worker's global scope that is used here; the DOM library describes a window instead. */
interface WorkerScope {
  onmessage: ((event: MessageEvent<WorkerStart | WorkerRequest>) => void) | null;
  postMessage(message: WorkerReply, transfer: Transferable[]): void;
}

const scope = globalThis as unknown as WorkerScope;
const started = Promise.withResolvers<WebAssembly.Module | undefined>();
const engine = onnxRuntime(() => started.promise);
const run = createChunkRunner(engine, true);

async function answer(job: ChunkJob | "warm"): Promise<Omit<WorkerReply, "id">> {
  try {
    if (job === "warm") {
      await engine.warm();
      return { result: {} };
    }
    return { result: await run(job) };
  } catch (error) {
    return error instanceof Problem
      ? { problem: { kind: error.kind, detail: error.message } }
      : { error: error instanceof Error ? `${error.message}\n${error.stack}` : String(error) };
  }
}

scope.onmessage = async ({ data }) => {
  if (!("job" in data)) return started.resolve(data.module);
  const reply = { id: data.id, ...await answer(data.job) };
  scope.postMessage(reply, reply.result ? buffersOf(reply.result) : []);
};
