/**
 * The entry of an engine worker: takes jobs, answers results, each with its number.
 *
 * @module
 */
import { Problem } from "../problem.ts";
import type { ChunkJob } from "./chunk_job.ts";
import { onnxRuntime } from "./onnx_runtime.ts";
import { createChunkRunner } from "./run_chunk.ts";
import { buffersOf, type WorkerReply, type WorkerRequest } from "./worker_protocol.ts";

/** The part of a worker's global scope that is used here; the DOM library describes a window instead. */
interface WorkerScope {
  onmessage: ((event: MessageEvent<WorkerRequest>) => void) | null;
  postMessage(message: WorkerReply, transfer: Transferable[]): void;
}

const scope = globalThis as unknown as WorkerScope;
const engine = onnxRuntime();
const run = createChunkRunner(engine);

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

scope.onmessage = async ({ data: { id, job } }) => {
  const reply = { id, ...await answer(job) };
  scope.postMessage(reply, reply.result ? buffersOf(reply.result) : []);
};
