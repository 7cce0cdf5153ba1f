/**
 * `POST /statistics` without HTTP: runs a model over unlabelled rows and stores what merging by statistics needs.
 *
 * @module
 */
import { openGraph, openNamed, type TaskSources } from "../atm/open_task.ts";
import type { LedgerEntry } from "../atm/rounds/ledger.ts";
import type { TuningPorts } from "../atm/tuning_ports.ts";
import { withTaskSources } from "../atm/with_sources.ts";
import { show } from "../merge/faults.ts";
import { mergeParameters } from "../merge/plan_statistics.ts";
import { Problem } from "../problem.ts";
import type { UploadedSource } from "../sources/open_sources.ts";
import type { BlobId } from "../store/blobs.ts";
import { storeCheckpoint } from "../store/checkpoints.ts";
import { VERSION } from "../version.ts";
import { type GatherContext, gatherMerging, gatherTasks } from "./gather_tasks.ts";
import { type StatisticsDocument, statisticsSources } from "./statistics_document.ts";
import {
  statisticsFile,
  type StatisticsInfo,
  type StatisticsKind,
  type StatisticsTensor,
} from "./statistics_file.ts";
import { type Added, meansOf } from "./sum_up.ts";
import { digestOf } from "./task_rows.ts";

/** What is told of one tensor. */
export interface StatisticsEntry {
  readonly name: string;
  readonly shape: readonly number[];
  /** Rows of the layer's inputs, such as tokens or windows; only for `gram`. */
  readonly rows?: number;
  readonly axis?: 0 | 1;
  readonly bias?: string;
}

/** What is answered. */
export interface StatisticsAnswer {
  /** The id, or along a merge the ids by task. */
  readonly statistics:
    | { readonly id: BlobId }
    | Readonly<Record<string, { readonly id: BlobId }>>;
  readonly kind: StatisticsKind;
  /** Rows of all tasks together. */
  readonly rows: number;
  readonly tensors: readonly StatisticsEntry[];
  /** Selected tensors that have no statistics: no weights of a linear layer, or not reached by the gradient. */
  readonly without: readonly string[];
  readonly ledger: readonly LedgerEntry[];
  readonly seconds: number;
}

/** Where the work stands. */
export interface StatisticsProgress {
  readonly task: string;
  /** Rows done and to do in this task. */
  readonly done: number;
  readonly rows: number;
}

/** What goes with the document. */
export interface StatisticsContext {
  readonly ports: TuningPorts;
  readonly uploads: ReadonlyMap<string, UploadedSource>;
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: StatisticsProgress) => void;
}

/**
 * Gathers statistics over all tasks and stores them as one checkpoint.
 *
 * @throws {Problem} Whatever is wrong with document, sources, model or data.
 * @throws The signal's reason, within one batch.
 */
export async function runStatistics(
  document: StatisticsDocument,
  context: StatisticsContext,
): Promise<StatisticsAnswer> {
  const { ports, onProgress } = context;
  const started = performance.now();
  const named = { names: statisticsSources(document), entries: document.sources };
  const workspace = ports.openWorkspace();
  return await withTaskSources(workspace, named, context, async (sources) => {
    const start = await openNamed(sources, document.start);
    const exported = await openNamed(sources, document.exportedWith);
    const graph = await openGraph(sources, document.model);
    const gathering: GatherContext = {
      document,
      sources,
      ports,
      workspace,
      graph,
      exported,
      onRows: (task, done, rows) => onProgress?.({ task, done, rows }),
    };
    const { sums, ledger, wanted } = document.merge
      ? await gatherMerging(gathering, document.merge)
      : await gatherTasks(gathering, start);
    const ids: Record<string, { readonly id: BlobId }> = {};
    for (const [name, own] of sums) {
      const entries = name === "" ? ledger : ledger.filter(({ task }) => task === name);
      ids[name] = await storeSums(document, sources, ports, own, entries);
    }
    const [first = new Map<string, Added>()] = sums.values();
    return {
      statistics: document.merge ? ids : ids[""]!,
      kind: kindOf(document),
      rows: rowsOf(ledger),
      tensors: [...first].map(([name, { shape, layer }]) => ({ name, shape, ...layer })),
      without: [...wanted].filter((name) => !first.has(name)),
      ledger,
      seconds: Math.round(performance.now() - started) / 1000,
    };
  });
}

/** Stores the statistics of one model. */
async function storeSums(
  document: StatisticsDocument,
  sources: TaskSources,
  ports: TuningPorts,
  sums: ReadonlyMap<string, Added>,
  ledger: readonly LedgerEntry[],
): Promise<{ readonly id: BlobId }> {
  if (sums.size === 0) throw nothingTaken(document);
  const { merge, seed } = document;
  const start = merge
    ? merge.models!.find(({ statistics }) => statistics === ledger[0]?.task)?.model
    : document.start;
  const { manifest } = await store(ports, meansOf(sums), {
    kind: kindOf(document),
    rows: rowsOf(ledger),
    layers: layersOf(sums),
    ...(merge ? { merge: mergeParameters(merge) } : {}),
    seed,
    ...(document.kind === "fisher" ? { outcomes: document.outcomes } : {}),
    graph: digestOf(document.model, sources),
    start: start === undefined ? null : digestOf(start, sources),
    shards: ledger.map(({ task, digest, rows }) => ({ task, digest, rows })),
  }, sources.signal);
  return { id: manifest.id };
}

function kindOf({ kind, merge }: StatisticsDocument): StatisticsKind {
  return merge ? "gram_along" : kind;
}

function rowsOf(ledger: readonly LedgerEntry[]): number {
  return ledger.reduce((sum, { rows }) => sum + rows, 0);
}

function nothingTaken({ kind, tensors }: StatisticsDocument): Problem {
  return new Problem(
    "mismatch",
    kind === "gram"
      ? `Cannot take Gram matrices as no selected tensor is the weight of a MatMul, Gemm or Conv node: ` +
        `current value is ${show(tensors)}`
      : `Cannot take the Fisher information as the output depends on none of the selected tensors: ` +
        `current value is ${show(tensors)}`,
  );
}

function layersOf(sums: ReadonlyMap<string, Added>): StatisticsInfo["layers"] {
  return Object.fromEntries(
    [...sums].flatMap(([name, { layer }]) => layer ? [[name, layer]] : []),
  );
}

async function store(
  ports: TuningPorts,
  tensors: readonly StatisticsTensor[],
  info: StatisticsInfo & Readonly<Record<string, unknown>>,
  signal: AbortSignal,
) {
  async function* pieces() {
    yield* statisticsFile(tensors, info, VERSION);
  }
  return await storeCheckpoint(ports, pieces(), { signal });
}
