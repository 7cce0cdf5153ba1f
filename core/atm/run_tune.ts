/**
 * `POST /tune` without HTTP: opens everything, checks everything, tunes, and stores the results.
 *
 * @module
 */
import { openSafetensors } from "../checkpoint/open_safetensors.ts";
import type { OnnxTensor } from "../onnx/model.ts";
import { canonicalJson } from "../merge/provenance.ts";
import { Problem } from "../problem.ts";
import type { UploadedSource } from "../sources/open_sources.ts";
import type { BlobId } from "../store/blobs.ts";
import { storeCheckpoint } from "../store/checkpoints.ts";
import { VERSION } from "../version.ts";
import { checkRows } from "./check_rows.ts";
import { evaluateAll, type Score } from "./evaluate.ts";
import { openLearner } from "./learner.ts";
import { openGraph, openNamed, openRows, openTaskModel, type TaskSources } from "./open_task.ts";
import { storeTaskVector } from "./store_task_vector.ts";
import { trainableParameters } from "./trainable.ts";
import { prepareTuning, type StepReport, tune } from "./tune.ts";
import { type TuneDocument, tuneNames } from "./tune_document.ts";
import type { TuningPorts } from "./tuning_ports.ts";
import { withTaskSources } from "./with_sources.ts";
import { graphWeights, tunedCheckpoint } from "./weights_checkpoint.ts";

/** What a tuning answers. */
export interface TuneAnswer {
  readonly checkpoint: { readonly id: BlobId };
  readonly task_vector: { readonly id: BlobId };
  /** The digest of `start`, where it was stored or uploaded. */
  readonly start: { readonly id: BlobId } | null;
  readonly steps: number;
  readonly examples: number;
  /** Of every step's batch, before that step. */
  readonly loss: readonly number[];
  readonly before: Score;
  readonly after: Score;
  readonly tensors: {
    readonly trained: readonly string[];
    /** Trainable ones on which the loss does not depend. */
    readonly unreached: readonly string[];
    /** Tensors of the start that the graph does not use. */
    readonly unused: readonly string[];
    /** Tensors whose weights stand in the graph under another name or arrangement, as `INITIALIZER (transposed)`. */
    readonly renamed: Readonly<Record<string, string>>;
  };
  readonly seconds: number;
}

/** What goes with the document. */
export interface TuneContext {
  readonly ports: TuningPorts;
  readonly uploads: ReadonlyMap<string, UploadedSource>;
  readonly signal: AbortSignal;
  readonly onStep?: (report: StepReport) => void;
}

/**
 * Tunes. Everything that can be refused is refused before the first step.
 *
 * @throws {Problem} Whatever is wrong with document, sources, model or data; `non-finite` during the steps.
 * @throws The signal's reason, within one step.
 */
export async function runTune(document: TuneDocument, context: TuneContext): Promise<TuneAnswer> {
  const started = performance.now();
  const { ports, signal } = context;
  const named = { names: tuneNames(document), entries: document.sources };
  const workspace = ports.openWorkspace();
  return await withTaskSources(workspace, named, context, async (sources) => {
    const { task, local, seed } = document;
    const given = await openNamed(sources, document.start);
    const exported = await openNamed(sources, document.exportedWith);
    const graph = await openGraph(sources, document.model);
    const model = await openTaskModel(sources, graph, task, given, exported);
    const { data } = await openRows(sources, model, task, task.shard);
    const trainable = trainableParameters(model, document.trainable);
    const learner = openLearner({ workspace, model, data, loss: task.loss, trainable });
    await learner.place(signal);
    await prepareTuning(learner, data, task.loss, local);
    await checkRows(learner, data, task, signal);
    const counts = task.loss.name !== "mse";
    const before = await evaluateAll(learner, data, counts, signal);
    const result = await tune({
      learner,
      data,
      task: task.name,
      loss: task.loss,
      local,
      seed,
      signal,
      ...(context.onStep ? { onStep: context.onStep } : {}),
    });
    const after = await evaluateAll(learner, data, counts, signal);

    const { trained, unreached } = learner.trained();
    const start = given ?? await graphWeights(model, signal);
    const values = new Map<string, OnnxTensor>(await learner.values(trained));
    for (const [name, kept] of model.tied) {
      const value = values.get(kept);
      if (value) values.set(name, value);
    }
    checkFinite(values);
    const begun = digestOf(document.start, sources);
    const metadata = {
      format: "pt",
      kind: "weights",
      "amalgam.version": VERSION,
      "amalgam.tune": canonicalJson({ task: task.name, local, seed, steps: result.steps }),
    };
    const { manifest } = await storeCheckpoint(
      ports,
      tunedCheckpoint(start, values, metadata, signal),
      { signal },
    );
    const bytes = await ports.leases.open(manifest.id);
    if (!bytes) throw new Error(`The stored checkpoint ${manifest.id} is gone`);
    sources.closers.push(() => bytes.close?.());
    const tuned = await openSafetensors(bytes, { name: "tuned", signal });
    const vector = await storeTaskVector(
      ports,
      start,
      tuned,
      {
        "amalgam.tune": metadata["amalgam.tune"],
        ...(begun === undefined ? {} : { "amalgam.start": begun }),
      },
      signal,
    );
    return {
      checkpoint: { id: manifest.id },
      task_vector: { id: vector.manifest.id },
      start: begun === undefined ? null : { id: begun },
      ...result,
      before,
      after,
      tensors: {
        trained,
        unreached,
        unused: model.unused,
        renamed: Object.fromEntries(
          model.renamed.map(({ tensor, initializer, arrangement }) => [
            tensor,
            arrangement === "same" ? initializer : `${initializer} (${arrangement})`,
          ]),
        ),
      },
      seconds: Math.round(performance.now() - started) / 1000,
    };
  });
}

/** The digest of a source's bytes, where it is known. */
function digestOf(name: string | undefined, { specs, uploads }: TaskSources): BlobId | undefined {
  const spec = name === undefined ? undefined : specs.get(name);
  if (spec?.type === "checkpoint") return spec.id;
  return spec?.type === "upload" ? uploads.get(spec.part)?.id : undefined;
}

function checkFinite(values: ReadonlyMap<string, OnnxTensor>): void {
  for (const [name, { bytes }] of values) {
    const numbers = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
    const index = numbers.findIndex((value) => !Number.isFinite(value));
    if (index < 0) continue;
    throw new Problem(
      "non-finite",
      `Cannot keep the result as its tensor ${name} must be finite, try a smaller learning rate: ` +
        `current value at ${index} is ${numbers[index]}`,
      { tensor: name, index },
    );
  }
}
