/**
 * What a run answers (API.md, section 5).
 *
 * @module
 */
import type { BlobId } from "../../store/blobs.ts";
import type { Score } from "../evaluate.ts";
import type { LedgerEntry } from "./ledger.ts";
import type { AllowedOverlap } from "./overlap.ts";
import type { ReferenceRow } from "./references.ts";
import type { TaskScores } from "./select.ts";
import type { Warning } from "./tasks.ts";

/** A task in a round. */
export interface RoundTaskReport {
  readonly steps: number;
  readonly examples: number;
  /** Mean loss of the first and last tenth of the steps. */
  readonly loss: { readonly first: number; readonly last: number };
  /** `‖τ_t‖` before clipping. */
  readonly norm: number;
  /** The factor of clipping; 1 is none. */
  readonly clipped: number;
  /** Seconds that its steps took; for a participant, the whole call. */
  readonly seconds: number;
  /** How the tuned, unmerged weights score on the task's select shard. */
  readonly select?: Score;
}

/** One round. */
export interface RoundReport {
  readonly round: number;
  /** The step size of the accepted candidate, or of the last one tried. */
  readonly alpha: number;
  readonly accepted: boolean;
  readonly tasks: Readonly<Record<string, RoundTaskReport>>;
  /** Scores of the candidate on the select shards. */
  readonly merged: TaskScores;
  readonly mean: {
    readonly loss: number;
    readonly accuracy: number | null;
    readonly worst: { readonly task: string; readonly accuracy: number } | null;
  } | null;
  readonly cosine: {
    readonly round: readonly (readonly number[])[];
    readonly start: readonly (readonly number[])[];
  };
  /** `‖Στ_t‖ / Σ‖τ_t‖`. */
  readonly coherence: number;
  readonly sign_agreement: number;
  /** `‖θ^(k) − θ^(0)‖` of the candidate. */
  readonly drift: number;
  readonly seconds: number;
  /** The weights of an accepted round, where rounds are kept. */
  readonly checkpoint?: { readonly id: BlobId };
}

/** What it cost. */
export interface Cost {
  /** Gradient steps, of all tasks and rounds. */
  readonly steps: number;
  /** Rows that went forward and backward. */
  readonly examples: number;
  /** Rows that only went forward. */
  readonly forward_examples: number;
  readonly seconds: number;
  /** Bytes moved to and from participants. */
  readonly bytes: number;
}

/** The answer. */
export interface AtmAnswer {
  readonly run: string;
  readonly checkpoint: { readonly id: BlobId };
  /** The round whose weights are the result; 0 is the start. */
  readonly best_round: number;
  /** With uniform weights, the mean and α = 1 a round is FedAvg (arXiv 1602.05629); this says so. */
  readonly method: string;
  readonly mode: "guarded" | "published";
  /** Scores of the start on the select shards. */
  readonly start: TaskScores;
  readonly rounds: readonly RoundReport[];
  /**
   * How far the first round's mean will lie from joint descent, as a share of its way (ATM.md, section 5); null
   * where the estimate does not hold: another optimizer than plain SGD, or rows at participants.
   */
  readonly predicted_drift: number | null;
  readonly references: Readonly<Record<string, ReferenceRow>>;
  /** Scores of the result on the test shards, looked at once. */
  readonly test: TaskScores;
  /** Each task's own tensors, as given. */
  readonly heads: Readonly<Record<string, string>>;
  readonly averaged?: { readonly checkpoint: { readonly id: BlobId }; readonly select: TaskScores };
  readonly privacy?: { readonly epsilon: number | null; readonly delta: number };
  readonly ledger: readonly LedgerEntry[];
  readonly overlaps: readonly AllowedOverlap[];
  readonly warnings: readonly Warning[];
  readonly cost: Cost;
}
