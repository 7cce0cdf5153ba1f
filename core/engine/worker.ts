/**
 * The entry of an engine worker: takes jobs, answers results, each with its number.
 *
 * @module
 */
import { Problem } from "../problem.ts";
import type { ChunkJob } from "./chunk_job.ts";
import { type EngineName, wantsGpu } from "./engine_name.ts";
import { borrowInputs } from "./lent_inputs.ts";
import { createBorrower } from "./lent_memory.ts";
import { createInputReader, type PlaceReaderModule } from "./placed_inputs.ts";
import { onnxRuntime } from "./onnx_runtime.ts";
import { type ChunkRunner, createChunkRunner } from "./run_chunk.ts";
import { createGpuJobs } from "./webgpu/gpu_jobs.ts";
import {
  buffersOf,
  type RuntimeRequest,
  type WorkerReply,
  type WorkerRequest,
  type WorkerRuntime,
  type WorkerStart,
} from "./worker_protocol.ts";

/** The part of a worker's global scope that is used here; the DOM library describes a window instead. */
interface WorkerScope {
  onmessage: ((event: MessageEvent<WorkerStart | WorkerRuntime | WorkerRequest>) => void) | null;
  postMessage(message: WorkerReply | RuntimeRequest, transfer: Transferable[]): void;
}

const scope = globalThis as unknown as WorkerScope;
const borrower = createBorrower();
const runtime = Promise.withResolvers<WebAssembly.Module | undefined>();
const engine = onnxRuntime(() => {
  scope.postMessage({ needs: "runtime" }, []);
  return runtime.promise;
});
let named: EngineName = "auto";
let reader: string | undefined;
let deviceBytes = 0;
/** One for all jobs, as accumulators outlive a job. */
let runner: Promise<ChunkRunner> | undefined;

async function makeRunner(): Promise<ChunkRunner> {
  const gpu = wantsGpu(named) ? createGpuJobs(deviceBytes) : undefined;
  if (reader === undefined) return createChunkRunner(engine, named, undefined, gpu);
  const module: PlaceReaderModule = await import(reader);
  return createChunkRunner(engine, named, createInputReader(module), gpu);
}

async function answer(job: ChunkJob | "warm"): Promise<Omit<WorkerReply, "id">> {
  try {
    if (job === "warm") {
      if (named === "wasm") await engine.warm();
      return { result: {} };
    }
    return { result: await (await (runner ??= makeRunner()))(job) };
  } catch (error) {
    return error instanceof Problem
      ? { problem: { kind: error.kind, detail: error.message } }
      : { error: error instanceof Error ? `${error.message}\n${error.stack}` : String(error) };
  }
}

scope.onmessage = async ({ data }) => {
  if ("engine" in data) {
    named = data.engine;
    reader = data.reader;
    deviceBytes = data.deviceBytes;
    return;
  }
  if ("module" in data) return runtime.resolve(data.module);
  const { id, lent, loans } = data;
  borrower.take(loans);
  const job = lent && data.job !== "warm"
    ? borrowInputs({ job: data.job, lent }, borrower)
    : data.job;
  const reply = { id, ...await answer(job) };
  scope.postMessage(reply, reply.result ? buffersOf(reply.result) : []);
};
