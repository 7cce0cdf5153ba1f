/**
 * A run: its weights in the store, its history, and how both survive a restart.
 *
 * @module
 */
import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import { openSafetensors } from "../../checkpoint/open_safetensors.ts";
import { canonicalJson } from "../../merge/provenance.ts";
import { Problem } from "../../problem.ts";
import type { BlobId } from "../../store/blobs.ts";
import { type CheckpointStore, storeCheckpoint } from "../../store/checkpoints.ts";
import { keepForGood, releaseHeld } from "../../store/holders.ts";
import { tunedCheckpoint } from "../weights_checkpoint.ts";
import { type AtmDocument, withoutSecrets } from "./atm_document.ts";
import type { Setting } from "./run_rounds.ts";
import { createLedger, type Ledger } from "./ledger.ts";
import { predictedDrift } from "./predicted_drift.ts";
import type { AtmAnswer } from "./answer.ts";
import { getRun, putRun, type RunState } from "./run_state.ts";
import { meanOf, scoreTasks } from "./select.ts";
import { ledgerShard, type Warning } from "./tasks.ts";

/** Weights of the run that stand in the store. */
export interface HeldWeights {
  readonly id: BlobId;
  readonly checkpoint: Checkpoint;
}

/** A run between two rounds. */
export interface Run {
  readonly id: string;
  /** `published` also where nothing can be selected. */
  readonly mode: "guarded" | "published";
  readonly metric: "loss" | "accuracy";
  readonly state: RunState;
  readonly ledger: Ledger;
  /** What its rounds warned of; added to as they run. */
  readonly warnings: Warning[];
  /** θ^(0). */
  readonly first: HeldWeights;
  /** Stores weights under their digest and keeps them open. */
  hold(weights: Checkpoint): Promise<HeldWeights>;
  /** Opens weights that the run has stored. */
  open(id: BlobId): Promise<HeldWeights>;
  /** Keeps the state after a finished round. */
  advance(state: RunState): Promise<void>;
  /** The weights of the best round; of the last one where every round is accepted. */
  openBest(): Promise<Checkpoint>;
  /**
   * Keeps the answer until {@linkcode removeRun}, and forgets the weights of its rounds, unless they are to be kept.
   */
  finish(answer: AtmAnswer): Promise<void>;
  /** Closes what is open. */
  release(): void;
}

const NO_COST = { steps: 0, examples: 0, forward_examples: 0, seconds: 0, bytes: 0 };

/** Starts a run: θ^(0) is stored and scored. */
export async function beginRun(
  setting: Setting,
  start: Checkpoint,
  run: string = crypto.randomUUID(),
): Promise<Run> {
  const { document, tasks, slots, signal, ports: { records } } = setting;
  const weights = storeOf(setting, run);
  const first = await weights.hold(start);
  const ledger = createLedger();
  const scores = await scoreTasks(tasks, "select", first.checkpoint, slots, signal);
  const mean = Object.keys(scores).length > 0 ? meanOf(scores) : null;
  const drift = await predictedDrift(setting, first.checkpoint);
  let examples = 0;
  if (drift) {
    for (const task of tasks) {
      const { rows } = task.tune!.data;
      const used = 2 * Math.min(rows, document.local.batchSize);
      ledger.note(
        ledgerShard(task, task.document.shard, rows, setting.sources),
        "statistics",
        used / rows,
        0,
      );
      examples += used;
    }
  }
  const state: RunState = {
    run,
    document: fingerprint(document),
    round: 0,
    first: first.id,
    current: first.id,
    best: { round: 0, id: first.id, mean },
    accepted: mean,
    rejected: 0,
    outer: {},
    start: scores,
    predictedDrift: drift,
    rounds: [],
    ledger: [],
    cost: { ...NO_COST, examples },
    warnings: [],
    kept: new Date().toISOString(),
  };
  // Whoever is told of the run can go on with it, also before its first round is over.
  await putRun(records, { ...state, ledger: ledger.entries() });
  return runOf(setting, weights, state, first, ledger);
}

/**
 * Continues a run after its last finished round.
 *
 * @throws {Problem} `not-found`, `conflict`.
 */
export async function resumeRun(setting: Setting, id: string): Promise<Run> {
  const state = await getRun(setting.ports.records, id, fingerprint(setting.document));
  const weights = storeOf(setting, id);
  const first = await weights.open(state.first);
  return runOf(setting, weights, state, first, createLedger(state.ledger));
}

/** What two documents of one run have in common. */
function fingerprint({ references: _, ...document }: AtmDocument): string {
  return canonicalJson(withoutSecrets(document));
}

function runOf(
  { document, ports, tasks }: Setting,
  weights: WeightStore,
  begun: RunState,
  first: HeldWeights,
  ledger: Ledger,
): Run {
  let state = begun;
  const warnings = [...begun.warnings];
  const selects = tasks.some(({ select }) => select !== undefined);
  const mode = selects ? document.mode : "published";
  return {
    id: state.run,
    mode,
    metric: document.stop.metric,
    first,
    ledger,
    warnings,
    get state() {
      return state;
    },
    hold: weights.hold,
    open: weights.open,
    async advance(next) {
      const kept = new Date().toISOString();
      state = { ...next, ledger: ledger.entries(), warnings: [...warnings], kept };
      await putRun(ports.records, state);
    },
    async openBest() {
      const id = mode === "published" ? state.current : state.best.id;
      return (await weights.open(id)).checkpoint;
    },
    async finish(answer) {
      if (document.keepRounds) {
        const rounds = state.rounds.flatMap(({ checkpoint }) => checkpoint ? [checkpoint.id] : []);
        await keepForGood(ports, [state.first, ...rounds]);
      }
      // In this order a crash in between leaves a run that is through, never one without its weights.
      await putRun(ports.records, { ...state, answer, kept: new Date().toISOString() });
      weights.release();
      await forgetWeights(ports, state.run);
    },
    release: weights.release,
  };
}

interface WeightStore {
  hold(weights: Checkpoint): Promise<HeldWeights>;
  open(id: BlobId): Promise<HeldWeights>;
  release(): void;
}

function storeOf({ ports, signal }: Setting, run: string): WeightStore {
  const open = new Map<BlobId, Checkpoint>();
  const opened = async (id: BlobId): Promise<HeldWeights> => {
    const known = open.get(id);
    if (known) return { id, checkpoint: known };
    const source = await ports.leases.open(id);
    if (!source) {
      throw new Problem(
        "not-found",
        `Cannot go on as the weights of a round are no longer stored: current value is ${id}`,
      );
    }
    const checkpoint = await openSafetensors(source, { name: id, signal });
    open.set(id, checkpoint);
    return { id, checkpoint };
  };
  return {
    open: opened,
    async hold(weights) {
      const { manifest } = await storeCheckpoint(
        ports,
        tunedCheckpoint(weights, new Map(), { format: "pt", kind: "weights" }, signal),
        { signal, holder: `atm/${run}` },
      );
      return await opened(manifest.id);
    },
    release() {
      for (const checkpoint of open.values()) checkpoint.close();
      open.clear();
    },
  };
}

/** Removes the weights that only a run needed; checkpoints of the same bytes that others stored stay. */
export async function forgetWeights(store: CheckpointStore, run: string): Promise<void> {
  await releaseHeld(store, (holder) => holder === `atm/${run}`);
}

/** The answer of a run that is through, if it is. See {@linkcode resumeRun}. */
export async function finishedRun(
  store: CheckpointStore,
  document: AtmDocument,
  id: string,
): Promise<AtmAnswer | undefined> {
  const { answer } = await getRun(store.records, id, fingerprint(document));
  if (answer) await forgetWeights(store, id);
  return answer;
}
