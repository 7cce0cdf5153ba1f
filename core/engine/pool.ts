/**
 * Executors of chunk jobs: on this thread, or on a pool of workers.
 *
 * @module
 */
import { Problem } from "../problem.ts";
import type { ChunkExecutor, ChunkJob, ChunkResult } from "./chunk_job.ts";
import { type EngineChoice, engineChooser, type EngineName, wantsGpu } from "./engine_name.ts";
import { jobTurns } from "./job_turns.ts";
import { lendInputs } from "./lent_inputs.ts";
import { createLender, type Lender } from "./lent_memory.ts";
import { onnxRuntime } from "./onnx_runtime.ts";
import { owedAnswers } from "./owed_answers.ts";
import { createChunkRunner } from "./run_chunk.ts";
import { createSmallJobs } from "./small_jobs.ts";
import { compileRuntime } from "./runtime_module.ts";
import { type EngineHost, moduleWorkers } from "./start_worker.ts";
import { findAdapter } from "./webgpu/adapter.ts";
import { type AutoChoice, autoChoice } from "./webgpu/auto_choice.ts";
import { createGpuJobs } from "./webgpu/gpu_jobs.ts";
import {
  inputBuffersOf,
  type RuntimeRequest,
  type WorkerReply,
  type WorkerRequest,
  type WorkerRuntime,
  type WorkerStart,
} from "./worker_protocol.ts";

/** Jobs handed to one worker before it answers, so that it never waits for the next. */
const AHEAD = 2;

/** Bytes that GPUs keep from the sums of a tensor to its map, of all threads together. */
const DEVICE_BYTES = 512 << 20;

/** Runs jobs on this thread; for hosts without workers, and for tests. */
export function inlineExecutor(name: EngineName = "auto"): ChunkExecutor {
  const engine = onnxRuntime();
  const gpu = wantsGpu(name) ? createGpuJobs(DEVICE_BYTES) : undefined;
  const run = createChunkRunner(engine, name, undefined, gpu);
  const watched = watch(name);
  return {
    width: AHEAD,
    engine: watched.choose,
    run: async (job) => watched.see(await run(job)),
    broadcast: async (job) => [await run(job)],
    warm: () => name === "wasm" ? engine.warm() : Promise.resolve(),
    async close() {
      await engine.close();
      await gpu?.close();
    },
  };
}

/** What a pool does beside its jobs. */
export interface PoolOptions {
  /** Whether `auto` measures what a GPU would do, where the host may have one. */
  readonly measures?: boolean;
  /** Is told what `auto` was found to be. */
  readonly onChosen?: (choice: EngineChoice) => void;
}

/**
 * Runs jobs on `workers` threads, started on first use. With 0 workers, or where the host has none,
 * this thread does the work.
 */
export function workerPool(
  workers: number,
  name: EngineName = "auto",
  host: EngineHost = moduleWorkers,
  { measures = false, onChosen }: PoolOptions = {},
): ChunkExecutor {
  const { startWorker, placeReader } = host;
  if (workers === 0 || startWorker === undefined) return inlineExecutor(name);
  const auto = name === "auto" && measures
    ? autoChoice({
      open: (threads) => workerPool(threads === "one" ? 1 : workers, "webgpu", host),
      now: () => performance.now(),
      later(run, ms) {
        const timer = setTimeout(run, ms);
        return () => clearTimeout(timer);
      },
      ...(onChosen ? { onChosen } : {}),
    })
    : undefined;
  const watched = watch(name, auto);
  const reader = placeReader === undefined ? {} : { reader: placeReader.href };
  let compiled: Promise<WebAssembly.Module | undefined> | undefined;
  /** Compiled for all workers once one of them needs it. */
  const runtime = () => compiled ??= compileRuntime(host);
  let members: Member[] = [];
  /** All members; a worker that broke is replaced, the jobs it had are lost. */
  const started = () => {
    const alive = members.filter((member) => !member.broken());
    while (alive.length < workers) {
      const deviceBytes = Math.floor(DEVICE_BYTES / workers);
      const start = { engine: name, deviceBytes, ...reader };
      alive.push(startMember(startWorker("chunks"), start, runtime));
    }
    return members = alive;
  };
  const turns = jobTurns<{ readonly job: ChunkJob } & Waiting>();
  /** Threads by the names under which they said that they keep something. */
  const keepers = new Map<string, Member>();
  /** Whether a member may do a job: one that needs what another keeps waits for that. */
  const fits = (member: Member) => ({ job }: { readonly job: ChunkJob }) => {
    const keeper = job.stage === "map" && job.kept && keepers.get(job.kept.thread);
    return !keeper || keeper === member || keeper.broken();
  };
  /** Gives the next jobs to whoever has the fewest. */
  const hand = () => {
    while (turns.length() > 0) {
      const free = started().filter((member) => member.pending() < AHEAD)
        .toSorted((a, b) => a.pending() - b.pending());
      const member = free.find((each) => {
        const next = turns.next(fits(each));
        if (next) sendTo(each, next.job).then(next.resolve, next.reject);
        return next !== undefined;
      });
      if (!member) return;
    }
  };
  /** Every answer makes room for a job that waits, also that of what had no turn. */
  const sendTo = async (member: Member, job: ChunkJob | "warm"): Promise<ChunkResult> => {
    try {
      const result = await member.send(job);
      if (result.kept) keepers.set(result.kept.thread, member);
      return result;
    } finally {
      hand();
    }
  };
  return {
    width: workers * AHEAD,
    readsPlaces: placeReader !== undefined,
    engine: watched.choose,
    // Other engines are asked for by their name, and start on workers alone.
    ...(name === "auto" || name === "fused" ? { small: createSmallJobs() } : {}),
    async run(job, size = 0) {
      const result = await new Promise<ChunkResult>((resolve, reject) => {
        turns.add({ job, resolve, reject }, size);
        hand();
      });
      return watched.see(result);
    },
    broadcast(job) {
      // Who is not there keeps nothing.
      const asked = job.stage === "drop" ? members.filter((member) => !member.broken()) : started();
      return Promise.all(asked.map((member) => sendTo(member, job)));
    },
    async warm() {
      const cold = started().filter((member) => !member.warmed());
      await Promise.all(cold.map((member) => sendTo(member, "warm")));
    },
    async close() {
      for (let left = turns.next(); left; left = turns.next()) {
        left.reject(new Error("The engine was stopped"));
      }
      for (const member of members) member.stop();
      members = [];
      await auto?.close();
    },
  };
}

/** Chooses the engine of each merge, and sees where the GPU fails. */
function watch(name: EngineName, auto?: AutoChoice) {
  let lost: string | undefined;
  return {
    choose: engineChooser(name, {
      adapter: () => findAdapter(),
      lost: () => lost,
      ...(auto ? { auto: auto.current } : {}),
    }),
    see(result: ChunkResult): ChunkResult {
      lost ??= result.fallback;
      return result;
    },
  };
}

/** The message of a job; shared memory is named in it. */
function requestOf(id: number, job: ChunkJob | "warm", lender: Lender): WorkerRequest {
  const lent = job === "warm" ? undefined : lendInputs(job, lender);
  if (!lent) return { id, job };
  const loans = lender.take();
  return { id, ...lent, ...(loans ? { loans } : {}) };
}

/** One worker and the jobs it owes an answer. */
interface Member {
  pending(): number;
  /** Whether the worker is gone. */
  broken(): boolean;
  /** Whether it was told to load its engine. */
  warmed(): boolean;
  send(job: ChunkJob | "warm"): Promise<ChunkResult>;
  stop(): void;
}

interface Waiting {
  resolve(result: ChunkResult): void;
  reject(error: Error): void;
}

function startMember(
  worker: Worker,
  start: WorkerStart,
  runtime: () => Promise<WebAssembly.Module | undefined>,
): Member {
  const owed = owedAnswers<ChunkResult>(worker);
  const lender = createLender();
  let warmed = false;
  let next = 0;
  worker.onmessage = async ({ data }: MessageEvent<WorkerReply | RuntimeRequest>) => {
    if ("needs" in data) {
      const reply: WorkerRuntime = { module: await runtime() };
      return worker.postMessage(reply);
    }
    const job = owed.take(data.id);
    if (data.result) job?.resolve(data.result);
    else if (data.problem) job?.reject(new Problem(data.problem.kind, data.problem.detail));
    else job?.reject(new Error(`An engine worker failed: ${data.error}`));
  };
  worker.onerror = (event) => {
    event.preventDefault();
    owed.end(new Problem("unavailable", `Cannot run the engine worker: ${event.message}`));
  };
  worker.postMessage(start);
  return {
    pending: owed.count,
    broken: () => owed.gone() !== undefined,
    warmed: () => warmed,
    send(job) {
      warmed ||= job === "warm";
      const id = next++;
      const request = requestOf(id, job, lender);
      const transfer = job !== "warm" && "inputs" in job ? inputBuffersOf(job.inputs) : [];
      const answer = owed.add(id);
      if (!owed.gone()) worker.postMessage(request, transfer);
      return answer;
    },
    stop: () => owed.end(new Error("The engine worker was stopped")),
  };
}
