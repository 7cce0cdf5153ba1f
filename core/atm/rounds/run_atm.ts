/**
 * `POST /atm` without HTTP: alternating tuning and merging (Zhou et al. 2024, arXiv 2411.03055), as ATM.md
 * defines it.
 *
 * @module
 */
import { canonicalJson } from "../../merge/provenance.ts";
import type { UploadedSource } from "../../sources/open_sources.ts";
import { storeCheckpoint } from "../../store/checkpoints.ts";
import { VERSION } from "../../version.ts";
import { openGraph, openNamed } from "../open_task.ts";
import type { TuningPorts } from "../tuning_ports.ts";
import { withTaskSources } from "../with_sources.ts";
import { graphWeights, tunedCheckpoint } from "../weights_checkpoint.ts";
import type { AtmAnswer } from "./answer.ts";
import { type AtmDocument, withoutSecrets } from "./atm_document.ts";
import { atmNames } from "./atm_names.ts";
import { isPlain } from "./outer.ts";
import { epsilonOf } from "./privacy.ts";
import { referenceRows } from "./references.ts";
import { beginRun, finishedRun, type HeldWeights, resumeRun, type Run } from "./run.ts";
import { runRounds, type Setting } from "./run_rounds.ts";
import { removeRun } from "./run_state.ts";
import { scoreTasks } from "./select.ts";
import { openSlots } from "./slots.ts";
import { openStart } from "./start.ts";
import { startWarnings } from "./start_warnings.ts";
import { ledgerShard, openTasks } from "./tasks.ts";

/** An event of a run. */
export interface AtmEvent {
  readonly event: "start" | "task" | "round" | "reference" | "warning";
  readonly [key: string]: unknown;
}

/** What goes with the document. */
export interface AtmContext {
  readonly ports: TuningPorts;
  readonly uploads: ReadonlyMap<string, UploadedSource>;
  readonly signal: AbortSignal;
  readonly tell: (event: AtmEvent) => void;
  /** How many tasks may be tuned at once. */
  readonly width: number;
  /**
   * Id of a run that is begun; its answer is then kept until whoever gave the id has it, see
   * {@linkcode removeRun}. By default an id of its own, and nothing is kept of a run that is through.
   */
  readonly run?: string;
}

/**
 * Runs the rounds, the reference rows, and the one look at the test shards.
 *
 * @throws {Problem} Whatever is wrong with the document, sources, model or data, before the first step;
 *   `non-finite`, `upstream` of a round, whose finished predecessors are kept and can be resumed.
 * @throws The signal's reason, within one step.
 */
export async function runAtm(document: AtmDocument, context: AtmContext): Promise<AtmAnswer> {
  const started = performance.now();
  const { ports, signal, tell } = context;
  const { resume } = document;
  const through = resume === undefined ? undefined : await finishedRun(ports, document, resume);
  if (through) {
    tell({ event: "start", run: through.run, rounds: document.rounds, from: document.rounds });
    return through;
  }
  const named = { names: atmNames(document), entries: document.sources };
  const slots = openSlots(
    ports.openWorkspace,
    Math.max(1, Math.min(context.width, document.tasks.length)),
  );
  let run: Run | undefined;
  return await withTaskSources(slots, named, context, async (sources) => {
    const graph = await openGraph(sources, document.model);
    const exported = await openNamed(sources, document.exportedWith);
    const given = await openStart(document, sources, ports);
    const opened = await openTasks(document, sources, graph, given, exported);
    const { tasks } = opened;
    const first = given ?? await graphWeights(tasks[0]!.model, signal);
    const tensors = [
      ...new Set(tasks.flatMap(({ trainable, model }) => [
        ...trainable,
        ...[...model.tied].flatMap(([tied, kept]) => trainable.has(kept) ? [tied] : []),
      ])),
    ].filter((name) => first.tensors.has(name));
    for (const warning of opened.warnings) tell({ ...warning, event: "warning" });

    const setting = { document, ports, slots, sources, tasks, tensors, signal, tell };
    run = resume === undefined
      ? await beginRun(setting, first, context.run)
      : await resumeRun(setting, resume);
    tell({
      event: "start",
      run: run.id,
      rounds: document.rounds,
      from: run.state.round + 1,
      // Round 0, to be drawn beside the rounds.
      select: run.state.start,
      // Who goes on with a run need not have heard its last round before.
      ...(run.state.rounds.length > 0 ? { history: run.state.rounds } : {}),
      ...(document.keepRounds ? { checkpoint: { id: run.state.first } } : {}),
    });
    const early = startWarnings(setting, run);
    for (const warning of early) tell({ ...warning, event: "warning" });
    const { warnings } = run;
    await runRounds(setting, run, (warning) => {
      warnings.push(warning);
      tell({ ...warning, event: "warning" });
    });

    const best = await run.openBest();
    // Where every round is accepted, the last one is the result, whatever it scores.
    const bestRound = run.mode === "published" ? run.state.round : run.state.best.round;
    const references = document.references.length === 0 ? {} : await referenceRows({
      ...setting,
      ledger: run.ledger,
      first: run.first.checkpoint,
      rounds: Math.max(1, run.state.round),
      tell: (name, row) => tell({ event: "reference", name, ...row }),
    });
    const test = await scoreTasks(tasks, "test", best, slots, signal);
    for (const task of tasks) {
      if (!task.test || !task.document.test) continue;
      const shard = ledgerShard(task, task.document.test, task.test.data.rows, sources);
      run.ledger.note(shard, "score", 1, 0);
    }
    const metadata = {
      format: "pt",
      kind: "weights",
      "amalgam.version": VERSION,
      "amalgam.atm": canonicalJson(withoutSecrets(document)),
      "amalgam.rounds": String(bestRound),
      "amalgam.start": run.state.first,
      "amalgam.shards": canonicalJson(
        run.ledger.entries().map(({ shard, digest, use, task }) => ({ shard, digest, use, task })),
      ),
    };
    const { manifest } = await storeCheckpoint(
      ports,
      tunedCheckpoint(best, new Map(), metadata, signal),
      { signal },
    );
    const { state } = run;
    const averaged = state.average && await averageOf(setting, await run.open(state.average.id));
    const answer: AtmAnswer = {
      run: run.id,
      checkpoint: { id: manifest.id },
      best_round: bestRound,
      method: methodOf(document),
      mode: run.mode,
      start: state.start,
      rounds: state.rounds,
      predicted_drift: state.predictedDrift,
      references,
      test,
      heads: Object.fromEntries(
        tasks.flatMap(({ document: { name, parameters } }) =>
          parameters === undefined ? [] : [[name, parameters]]
        ),
      ),
      ...(averaged ? { averaged } : {}),
      ...(document.privacy
        ? {
          privacy: {
            epsilon: finiteOrNull(epsilonOf(document.privacy, state.round)),
            delta: document.privacy.delta,
          },
        }
        : {}),
      ledger: run.ledger.entries(),
      overlaps: opened.overlaps,
      warnings: [...opened.warnings, ...early, ...warnings],
      cost: { ...state.cost, seconds: Math.round(performance.now() - started) / 1000 },
    };
    await run.finish(answer);
    if (context.run === undefined) await removeRun(ports.records, run.id);
    return answer;
  }).finally(() => run?.release());
}

function methodOf({ merge, alpha, outer }: AtmDocument): string {
  const method = merge.kind === "robust"
    ? merge.robust.name
    : String(merge.recipe["merge_method"] ?? "linear");
  const plain = method === "linear" && alpha === 1 && isPlain(outer);
  return plain ? "ATM with mean aggregation, which is FedAvg (arXiv 1602.05629)" : `ATM, ${method}`;
}

/** Stores the average of the accepted rounds beside the result, with its scores. */
async function averageOf(
  { ports, tasks, slots, signal }: Setting,
  { checkpoint }: HeldWeights,
): Promise<NonNullable<AtmAnswer["averaged"]>> {
  const metadata = {
    format: "pt",
    kind: "weights",
    "amalgam.version": VERSION,
    "amalgam.averaged": "1",
  };
  const { manifest } = await storeCheckpoint(
    ports,
    tunedCheckpoint(checkpoint, new Map(), metadata, signal),
    { signal },
  );
  const select = await scoreTasks(tasks, "select", checkpoint, slots, signal);
  return { checkpoint: { id: manifest.id }, select };
}

function finiteOrNull(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
