/**
 * The state of a run after its last finished round, from which it can be resumed.
 *
 * @module
 */
import { del, get, getMany, keys, set, type UseStore } from "idb-keyval";
import { Problem } from "../../problem.ts";
import type { BlobId } from "../../store/blobs.ts";
import type { AtmAnswer, Cost, RoundReport } from "./answer.ts";
import type { LedgerEntry } from "./ledger.ts";
import type { SelectMean } from "./acceptance.ts";
import type { TaskScores } from "./select.ts";
import type { Warning } from "./tasks.ts";

/** A run between two rounds. Weights stand in the store, under their ids. */
export interface RunState {
  readonly run: string;
  /** Of the document without `resume` and sources, so that only the same run is continued. */
  readonly document: string;
  /** Number of finished rounds. */
  readonly round: number;
  /** θ^(0). */
  readonly first: BlobId;
  /** θ^(k). */
  readonly current: BlobId;
  readonly best: {
    readonly round: number;
    readonly id: BlobId;
    readonly mean: SelectMean | null;
  };
  /** Scores of θ^(k). */
  readonly accepted: SelectMean | null;
  /** Rounds in a row that were rejected. */
  readonly rejected: number;
  /** The average over accepted rounds, and how many those are. */
  readonly average?: { readonly id: BlobId; readonly rounds: number };
  /** State of the outer optimizer by name. */
  readonly outer: Readonly<Record<string, BlobId>>;
  readonly start: TaskScores;
  /** See `AtmAnswer.predicted_drift`. */
  readonly predictedDrift: number | null;
  readonly rounds: readonly RoundReport[];
  readonly ledger: readonly LedgerEntry[];
  readonly cost: Cost;
  /** What its rounds warned of. */
  readonly warnings: readonly Warning[];
  /** When this was kept, ISO 8601. */
  readonly kept: string;
  /** Of a run that is through, until whoever asked for it has it. */
  readonly answer?: AtmAnswer;
}

const PREFIX = "atm/";

/** Keeps the state of a run. */
export async function putRun(records: UseStore, state: RunState): Promise<void> {
  await set(PREFIX + state.run, state, records);
}

/** Whether something is kept of a run. */
export async function hasRun(records: UseStore, run: string): Promise<boolean> {
  return await get(PREFIX + run, records) !== undefined;
}

/** All runs of which something is kept. */
export async function listRuns(records: UseStore): Promise<RunState[]> {
  const ids = (await keys<string>(records)).filter((key) => key.startsWith(PREFIX));
  return (await getMany<RunState>(ids, records)).filter((state) => state !== undefined);
}

/** Forgets a run. */
export async function removeRun(records: UseStore, run: string): Promise<void> {
  await del(PREFIX + run, records);
}

/**
 * The state of a run.
 *
 * @param document What the state's document must be.
 * @throws {Problem} `not-found`; `conflict` if it is a run of another document.
 */
export async function getRun(
  records: UseStore,
  run: string,
  document: string,
): Promise<RunState> {
  const state = await get<RunState>(PREFIX + run, records);
  if (!state) {
    throw new Problem(
      "not-found",
      `Cannot resume as there is no run under this id: current value is ${run}`,
      { run },
    );
  }
  if (state.document !== document) {
    throw new Problem(
      "conflict",
      `Cannot resume as the run was begun with another document: current value is ${run}`,
      { run },
    );
  }
  return state;
}
