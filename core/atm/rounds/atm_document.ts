/**
 * The document of `POST /atm` (API.md, section 5).
 *
 * @module
 */
import { checkDocument } from "../../merge/document_form.ts";
import { invalidRecipe, joinPath, mustBe } from "../../merge/faults.ts";
import { checkSources, type Sources } from "../../merge/sources.ts";
import type { Fault } from "../../problem.ts";
import { parseLocal } from "../local_options.ts";
import { parseTasks } from "../tune_document.ts";
import type { TaskDocument } from "../task_document.ts";
import type { TrainableGlobs } from "../trainable.ts";
import type { LocalSettings } from "../tune.ts";
import type { MergeSpec } from "./aggregate.ts";
import { startRecipe } from "./atm_names.ts";
import { type AtmOutput, AtmSchema, type REFERENCES } from "./atm_schema.ts";
import type { ClipSpec } from "./clip.ts";
import type { OuterSpec } from "./outer.ts";
import type { RobustSpec } from "./robust.ts";

/** A reference row. */
export type ReferenceName = typeof REFERENCES[number];

/** When a round is accepted and the run ends. */
export interface StopRules {
  readonly metric: "loss" | "accuracy";
  readonly patience: number;
  readonly minDelta: number;
  readonly backtrack: boolean;
  readonly maxBacktracks: number;
}

/** Differential privacy at participant level. */
export interface PrivacySpec {
  readonly clipNorm: number;
  readonly noiseMultiplier: number;
  readonly delta: number;
}

/** A checked document. */
export interface AtmDocument {
  readonly model: string;
  /** A source's name, or a recipe to merge first; absent: the graph's own weights. */
  readonly start?: string | { readonly recipe: Readonly<Record<string, unknown>> };
  readonly exportedWith?: string;
  readonly tasks: readonly TaskDocument[];
  readonly rounds: number;
  readonly local: LocalSettings;
  readonly merge: MergeSpec;
  readonly alpha: number;
  readonly outer: OuterSpec;
  readonly normalizeSteps: boolean;
  readonly weights: "uniform" | "examples" | "tasks";
  readonly trainable: TrainableGlobs;
  readonly stop: StopRules;
  readonly references: readonly ReferenceName[];
  readonly clip?: ClipSpec;
  readonly privacy?: PrivacySpec;
  readonly averageRounds?: "swa" | { readonly ema: number };
  /** Whether the weights of accepted rounds stay in the store, so that one can go back to them; absent: no. */
  readonly keepRounds?: true;
  readonly mode: "guarded" | "published";
  readonly overlap: "refuse" | "allow";
  readonly seed: number;
  /** The run to continue. */
  readonly resume?: string;
  readonly sources: Sources;
}

const ROBUST = ["median", "trimmed_mean", "krum"];

/** @throws {Problem} `invalid-recipe` with every fault. */
export function parseAtmDocument(document: unknown): AtmDocument {
  const { output, faults } = checkDocument({ schema: AtmSchema, noun: "the request" }, document);
  const all = [...faults];
  if (output) {
    all.push(...checkSources(output.sources));
    const tasks = parseTasks(output.tasks, all);
    const local = parseLocal(output.local, "local", all);
    const merge = mergeOf(output.merge, tasks.length, all);
    checkMeaning(output, tasks, merge, local, all);
    if (all.length === 0) {
      const { sources, ...rest } = plain(output);
      const { start } = rest;
      const own = typeof start === "object" ? startRecipe(start.recipe, sources).sources : {};
      return { ...rest, sources: { ...sources, ...own }, tasks, local, merge };
    }
  }
  throw invalidRecipe(all);
}

/** The document without what may be secret, to be kept: sources, and what participants are sent. */
export function withoutSecrets<
  Document extends Pick<AtmDocument, "sources" | "resume" | "tasks">,
>({ sources: _, resume: __, tasks, ...rest }: Document): unknown {
  return {
    ...rest,
    tasks: tasks.map(({ participant, ...task }) => {
      if (!participant) return task;
      const { headers: ___, url, ...told } = participant;
      return { ...task, participant: { ...told, url: new URL(url).origin } };
    }),
  };
}

function plain(output: AtmOutput): Omit<AtmDocument, "tasks" | "local" | "merge"> {
  const { start, exported_with, stop, clip, privacy, average_rounds, resume, trainable } = output;
  return {
    model: output.model,
    ...(start === undefined ? {} : { start }),
    ...(exported_with === undefined ? {} : { exportedWith: exported_with }),
    rounds: output.rounds,
    alpha: output.alpha,
    outer: outerOf(output.outer),
    normalizeSteps: output.normalize_steps,
    weights: output.weights,
    // Private tensors are each task's own: they are neither trained nor merged.
    trainable: {
      include: trainable.include,
      exclude: [...trainable.exclude, ...output.private],
    },
    stop: {
      metric: stop.metric,
      patience: stop.patience,
      minDelta: stop.min_delta,
      backtrack: stop.backtrack,
      maxBacktracks: stop.max_backtracks,
    },
    references: output.references,
    ...(clip ? { clip } : {}),
    ...(privacy
      ? {
        privacy: {
          clipNorm: privacy.clip_norm,
          noiseMultiplier: privacy.noise_multiplier,
          delta: privacy.delta,
        },
      }
      : {}),
    ...(average_rounds ? { averageRounds: average_rounds } : {}),
    ...(output.keep_rounds ? { keepRounds: true } : {}),
    mode: output.mode,
    overlap: output.overlap,
    seed: output.seed,
    ...(resume === undefined ? {} : { resume }),
    sources: output.sources,
  };
}

function outerOf(outer: AtmOutput["outer"]): OuterSpec {
  switch (outer.name) {
    case "sgd": {
      const { name, learning_rate, momentum, nesterov } = outer;
      return { name, learningRate: learning_rate, momentum, nesterov };
    }
    case "adagrad":
      return { name: "adagrad", learningRate: outer.learning_rate, tau: outer.tau };
    case "adam":
    case "yogi": {
      const { name, learning_rate, betas, tau } = outer;
      const biasCorrection = name === "adam" && outer.bias_correction;
      return { name, learningRate: learning_rate, betas, tau, biasCorrection };
    }
    case "qfedavg":
      return outer;
  }
}

function mergeOf(
  merge: Readonly<Record<string, unknown>>,
  tasks: number,
  faults: Fault[],
): MergeSpec {
  const method = String(merge["merge_method"] ?? "linear");
  for (const key of ["models", "slices", "base_model", "sources", "seed", "tensors"]) {
    if (!Object.hasOwn(merge, key)) continue;
    faults.push({
      path: joinPath("merge", key),
      message: `Cannot use the key as a round's models, base and tensors follow from the run: ` +
        `current value is ${JSON.stringify(key)}`,
    });
  }
  if (!ROBUST.includes(method)) return { kind: "recipe", recipe: merge };
  return { kind: "robust", robust: robustOf(method, parametersOf(merge), tasks, faults) };
}

function parametersOf(merge: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { parameters } = merge;
  return typeof parameters === "object" && parameters !== null ? { ...parameters } : {};
}

function robustOf(
  method: string,
  parameters: Record<string, unknown>,
  tasks: number,
  faults: Fault[],
): RobustSpec {
  const path = "merge.parameters";
  if (method === "median") return { name: "median" };
  if (method === "trimmed_mean") {
    const ratio = parameters["ratio"] ?? 0.1;
    if (typeof ratio !== "number" || !(ratio >= 0 && ratio < 0.5)) {
      faults.push({
        path: joinPath(path, "ratio"),
        message: mustBe("ratio", "a number in [0, 0.5)", ratio),
      });
    }
    return { name: "trimmed_mean", ratio: Number(ratio) };
  }
  const faulty = parameters["faulty"] ?? Math.floor((tasks - 3) / 2);
  if (!Number.isSafeInteger(faulty) || Number(faulty) < 0 || tasks < 2 * Number(faulty) + 3) {
    faults.push({
      path: joinPath(path, "faulty"),
      message: `Cannot use krum as it needs at least 2·faulty + 3 tasks: current value is ` +
        `${tasks} tasks and faulty ${JSON.stringify(faulty)}`,
    });
  }
  return { name: "krum", faulty: Number(faulty) };
}

function checkMeaning(
  output: AtmOutput,
  tasks: readonly TaskDocument[],
  merge: MergeSpec,
  local: LocalSettings,
  faults: Fault[],
): void {
  const fault = (path: string, message: string) => faults.push({ path, message });
  if (output.alpha > 2 * tasks.length) {
    fault("alpha", mustBe("alpha", `at most twice the number of tasks`, output.alpha));
  }
  if (output.weights === "tasks" && !tasks.some(({ weight }) => weight > 0)) {
    fault("weights", mustBe("weights", `"uniform" where every task's weight is 0`, "tasks"));
  }
  const { outer } = output;
  if (outer.name === "sgd" && outer.nesterov && outer.momentum === 0) {
    fault("outer.nesterov", mustBe("nesterov", "false where momentum is 0", true));
  }
  const simple = merge.kind === "recipe" && merge.recipe["merge_method"] === "linear";
  if (outer.name === "qfedavg" && !simple) {
    fault("merge", mustBe("merge", "linear where the outer optimizer is qfedavg", output.merge));
  }
  if (output.normalize_steps && (!simple || local.optimizer.name !== "sgd")) {
    fault(
      "normalize_steps",
      mustBe("normalize_steps", "false unless merge is linear and the optimizer sgd", true),
    );
  }
  if (!output.privacy) return;
  if (!simple) {
    fault("merge", mustBe("merge", "linear where privacy is asked for", output.merge));
  }
  if (output.weights !== "uniform") {
    fault("weights", mustBe("weights", `"uniform" where privacy is asked for`, output.weights));
  }
  if (output.stop.backtrack && tasks.some(({ participant }) => participant)) {
    fault(
      "stop.backtrack",
      mustBe("backtrack", "false where privacy is asked for of participants", true),
    );
  }
}
