/**
 * `POST /evaluate` without HTTP: loss and accuracy of checkpoints on tasks.
 *
 * @module
 */
import type { Checkpoint } from "../checkpoint/checkpoint.ts";
import { RUN_COPIES } from "../sources/open_model.ts";
import type { UploadedSource } from "../sources/open_sources.ts";
import { checkRows } from "./check_rows.ts";
import { evaluateAll, type Score } from "./evaluate.ts";
import { openLearner, type SharedGraphs, sharedGraphs } from "./learner.ts";
import { openGraph, openNamed, openRows, openTaskModel, openWeights } from "./open_task.ts";
import { type EvaluateDocument, evaluateNames } from "./tune_document.ts";
import type { TuningPorts } from "./tuning_ports.ts";
import { withTaskSources } from "./with_sources.ts";

/** Scores by checkpoint and task. */
export interface EvaluateAnswer {
  readonly checkpoints: Readonly<Record<string, Readonly<Record<string, Score>>>>;
}

/** What goes with the document. */
export interface EvaluateContext {
  readonly ports: TuningPorts;
  readonly uploads: ReadonlyMap<string, UploadedSource>;
  readonly signal: AbortSignal;
  /** Is told every score as it is there. */
  readonly onScore?: (report: { checkpoint: string; task: string; score: Score }) => void;
}

const NOTHING: ReadonlySet<string> = new Set();

/**
 * Evaluates every checkpoint on every task. Without checkpoints the graph's own weights are evaluated, under the
 * model's name.
 *
 * @throws {Problem} Whatever is wrong with document, sources, model or data.
 * @throws The signal's reason, within one batch.
 */
export async function runEvaluate(
  document: EvaluateDocument,
  context: EvaluateContext,
): Promise<EvaluateAnswer> {
  const { ports, signal, onScore } = context;
  const named = { names: evaluateNames(document), entries: document.sources };
  const workspace = ports.openWorkspace();
  return await withTaskSources(workspace, named, context, async (sources) => {
    const graph = await openGraph(sources, document.model, RUN_COPIES);
    const exported = await openNamed(sources, document.exportedWith);
    const starts: [string, Checkpoint | undefined][] = [];
    for (const name of document.checkpoints) starts.push([name, await openWeights(sources, name)]);
    if (starts.length === 0) starts.push([document.model, undefined]);

    const answer: Record<string, Record<string, Score>> = {};
    for (const [name] of starts) answer[name] = {};
    for (const task of document.tasks) {
      // The graphs stay while the weights change, unless a checkpoint is bound to the graph another way.
      const graphs = new Map<string, SharedGraphs>();
      for (const [name, start] of starts) {
        signal.throwIfAborted();
        const model = await openTaskModel(sources, graph, task, start, exported);
        const { data } = await openRows(sources, model, task, task.shard);
        const prefix = JSON.stringify([...model.parameters.values()].map(({ input }) => input));
        const shared = graphs.get(prefix) ?? sharedGraphs();
        graphs.set(prefix, shared);
        const learner = openLearner({
          workspace,
          model,
          data,
          loss: task.loss,
          trainable: NOTHING,
          prefix: `${task.name} ${prefix}`,
          graphs: shared,
        });
        await learner.place(signal);
        await checkRows(learner, data, task, signal);
        const counts = task.loss.name !== "mse";
        const score = await evaluateAll(learner, data, counts, signal, document.batchSize);
        answer[name]![task.name] = score;
        onScore?.({ checkpoint: name, task: task.name, score });
      }
    }
    return { checkpoints: answer };
  });
}
