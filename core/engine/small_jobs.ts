/**
 * Jobs on tensors so small that to hand them to another thread would cost more than to do them.
 *
 * A message to a worker and back costs the thread that asks about 0.15 ms, in which the fused engine works on a hundred
 * thousand elements. It needs no start and answers at once; ONNX Runtime, which does neither, stays on the workers.
 *
 * @module
 */
import { turn } from "../turn.ts";
import type { ChunkJob, ChunkResult, SmallJobs } from "./chunk_job.ts";
import type { Engine } from "./engine.ts";
import { type ChunkRunner, createChunkRunner } from "./run_chunk.ts";
import { inputBytes } from "./worker_protocol.ts";

/** Bytes of the inputs up to which a job is small, where the fused engine takes them as they are stored. */
const LIMIT = 512 << 10;
/** How much more it costs to select elements, or to treat vectors apart. */
const SELECTED = 8;
/** What a job costs whatever its size, here and in those who ask for it, in bytes of inputs that cost the same. */
const ANY_JOB = 64 << 10;
/** Bytes of inputs after which others may have a turn: a few milliseconds of work. */
const SLICE = 4 << 20;

const ELSEWHERE = new Error("The graph runs on the workers");

/** What the fused engine lacks is not run here. */
const absentEngine: Engine = {
  run: () => Promise.reject(ELSEWHERE),
  warm: () => Promise.resolve(),
  close: () => Promise.resolve(),
};

/** Runs small jobs on this thread, one after the other; nothing is started before the first. */
export function createSmallJobs(): SmallJobs {
  let runner: ChunkRunner | undefined;
  /** The graphs that are known to run elsewhere. */
  const elsewhere = new Set<string>();
  /** Work since the last turn that was given. */
  let done = 0;
  return {
    limit: LIMIT,
    async run(job) {
      const cost = costOf(job);
      if (cost > LIMIT) return undefined;
      const graph = graphOf(job);
      if (elsewhere.has(graph)) return undefined;
      if (done > SLICE) {
        done = 0;
        await turn();
      }
      done += cost + ANY_JOB;
      try {
        // What the caller lends stays the caller's.
        const { spent: _, ...result }: ChunkResult = await (runner ??= createChunkRunner(
          absentEngine,
          "fused",
        ))(job);
        return result;
      } catch (error) {
        if (error !== ELSEWHERE) throw error;
        elsewhere.add(graph);
        return undefined;
      }
    },
  };
}

/** The bytes that a job reads, as if none were selected; order statistics have accumulators on the workers. */
function costOf(job: ChunkJob): number {
  switch (job.stage) {
    case "convert":
    case "scan":
      return inputBytes(job.inputs);
    case "map":
    case "reduce": {
      const isStored = !job.selections?.some(Boolean) && !job.scored && !job.vectors;
      return inputBytes(job.inputs) * (isStored ? 1 : SELECTED);
    }
    default:
      return Infinity;
  }
}

function graphOf(job: ChunkJob): string {
  if (job.stage !== "map" && job.stage !== "reduce") return job.stage;
  const { stage, method, graph, lines, vectors, scored, selections } = job;
  return [stage, method, graph, lines, vectors?.along, scored?.scores.graph, !!selections].join();
}
