/**
 * Jobs whose inputs are in shared memory, which their messages only name.
 *
 * @module
 */
import type { ChunkInput, ChunkInputs, ChunkJob } from "./chunk_job.ts";
import type { Borrower, Lender, LentBytes } from "./lent_memory.ts";

/** A job on its way: where the pieces of its inputs are, models first and the base last. */
export interface LentJob {
  /** Inputs in shared memory have no pieces. */
  readonly job: ChunkJob;
  readonly lent: readonly (readonly LentBytes[])[];
}

type JobOnInputs = Extract<ChunkJob, { readonly inputs: ChunkInputs }>;

function withInputs(
  job: JobOnInputs,
  change: (input: ChunkInput, slot: number) => ChunkInput,
): ChunkJob {
  const { inputs } = job;
  const models = inputs.models.map(change);
  const base = inputs.base && change(inputs.base, models.length);
  return { ...job, inputs: { ...inputs, models, ...(base ? { base } : {}) } };
}

/** Names the memory of a job's inputs; undefined if none of them is shared. */
export function lendInputs(job: ChunkJob, lender: Lender): LentJob | undefined {
  if (!("inputs" in job)) return undefined;
  const { base, models } = job.inputs;
  const isLent = ({ at }: ChunkInput) => at !== undefined && "shared" in at;
  if (!models.some(isLent) && !(base && isLent(base))) return undefined;
  const lent: (readonly LentBytes[])[] = [];
  const sent = withInputs(job, (input, slot) => {
    const { at, ...rest } = input;
    if (!at || !("shared" in at)) {
      lent[slot] = [];
      return input;
    }
    lent[slot] = at.shared.map(lender.name);
    return { ...rest, at: { shared: [] } };
  });
  return { job: sent, lent };
}

/** The job with its inputs again. */
export function borrowInputs({ job, lent }: LentJob, borrower: Borrower): ChunkJob {
  if (!("inputs" in job)) return job;
  return withInputs(
    job,
    (input, slot) =>
      input.at && "shared" in input.at
        ? { ...input, at: { shared: lent[slot]!.map(borrower.bytes) } }
        : input,
  );
}
