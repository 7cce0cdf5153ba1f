/**
 * The ledger of what every row was used for (ATM.md, section 7).
 *
 * @module
 */

/** What rows were used for. */
export type RowUse = "tune" | "select" | "score" | "statistics" | "head";

/** One shard in one use. */
export interface LedgerEntry {
  /** Name of the shard's source. */
  readonly shard: string;
  /** SHA-256 of its bytes where it is known; a participant's is its own affair. */
  readonly digest: string | null;
  readonly rows: number;
  readonly use: RowUse;
  readonly task: string;
  /** Who holds it: this service, or the participant's URL. */
  readonly holder: string;
  /** How often every row was used: epochs that were tuned on, or evaluations. */
  readonly passes: number;
  /** Rounds in which it was used. */
  readonly rounds: readonly number[];
}

/** What identifies a shard in the ledger. */
export type LedgerShard = Pick<LedgerEntry, "shard" | "digest" | "rows" | "task" | "holder">;

/** Gathers uses. */
export interface Ledger {
  /**
   * Notes a use.
   *
   * @param passes How often every row was used.
   * @param round In which round; 0 for what is outside of rounds.
   */
  note(shard: LedgerShard, use: RowUse, passes: number, round: number): void;
  entries(): LedgerEntry[];
}

/** A ledger, with what was noted before. */
export function createLedger(before: readonly LedgerEntry[] = []): Ledger {
  const entries = new Map<string, LedgerEntry>();
  const keyOf = ({ shard, use, task }: Pick<LedgerEntry, "shard" | "use" | "task">) =>
    JSON.stringify([task, use, shard]);
  for (const entry of before) entries.set(keyOf(entry), entry);
  return {
    note(shard, use, passes, round) {
      const key = keyOf({ ...shard, use });
      const known = entries.get(key) ?? { ...shard, use, passes: 0, rounds: [] };
      const rounds = known.rounds.includes(round) ? known.rounds : [...known.rounds, round];
      entries.set(key, { ...known, passes: known.passes + passes, rounds });
    },
    entries: () => [...entries.values()],
  };
}
