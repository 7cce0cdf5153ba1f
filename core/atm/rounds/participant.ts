/**
 * Privacy-aware rounds: a task's rows stay with a participant, whose own `POST /tune` tunes on them; weights go
 * there, a task vector comes back (ATM.md, section 2.1).
 *
 * @module
 */
import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import type { Workspace } from "../../engine/workspace.ts";
import { Problem } from "../../problem.ts";
import { DTYPES } from "../../tensor/dtype.ts";
import { tunedCheckpoint } from "../weights_checkpoint.ts";
import { applyTaskVector } from "./apply_vector.ts";
import { askForWork, putCheckpoint, readCheckpoint, type Remote } from "./remote.ts";
import { writeScratch } from "./scratch.ts";
import type { RoundTask } from "./tasks.ts";
import { ends, localOf, type TunedTask, type TuningRound } from "./tune_round.ts";

/** What a participant answers; only these keys are looked at. */
interface ParticipantAnswer {
  readonly task_vector: { readonly id: string };
  readonly steps: number;
  readonly examples: number;
  readonly loss: readonly number[];
}

/**
 * Has a participant tune.
 *
 * Nothing is repaired: names, shapes, types, finite values and the digest of the start are checked, and what is
 * wrong fails the round by the task's name.
 *
 * @throws {Problem} `upstream` if the participant fails, `mismatch` or `non-finite` if its answer is wrong; each
 *   names the task.
 */
export async function askParticipant(
  task: RoundTask,
  round: TuningRound,
  workspace: Workspace,
): Promise<TunedTask> {
  const started = performance.now();
  const { participant, name } = task.document;
  const { document, sources: { signal, ports, specs }, start, blobs } = round;
  const { url, shard, headers, timeout } = participant!;
  const remote: Remote = { url, fetch: ports.fetch, headers, timeout, task: name, signal };
  // Content-addressed: a participant that holds these bytes already need not receive them.
  const weights = await writeScratch(
    blobs,
    tunedCheckpoint(start, new Map(), { format: "pt", kind: "weights" }, signal),
    signal,
  );
  try {
    const sent = await putCheckpoint(remote, weights.checkpoint, weights.id);
    const model = specs.get(document.model)!;
    const local = localOf(document.local, round.round, 1);
    const request = {
      model: model.type === "checkpoint" ? model.id : document.model,
      start: weights.id,
      task: taskOf(task, shard),
      local: documentOf(local, document.local.epochs === undefined),
      trainable: document.trainable,
      seed: document.seed,
      sources: model.type === "checkpoint" ? {} : { [document.model]: sourceOf(model, name) },
    };
    const told = await askForWork(remote, "/tune", request, crypto.randomUUID());
    const answer = checkAnswer(told, name, weights.id);
    const vector = await readCheckpoint(remote, answer.task_vector.id, blobs);
    try {
      checkVector(vector.checkpoint, start, task, name);
      const result = await applyTaskVector(
        round,
        vector.checkpoint,
        [...task.trainable],
        workspace,
      );
      return {
        result,
        steps: answer.steps,
        examples: answer.examples,
        loss: ends(answer.loss),
        bytes: sent + vector.checkpoint.byteLength,
        seconds: (performance.now() - started) / 1000,
        trained: [...task.trainable],
      };
    } finally {
      await vector.release();
    }
  } finally {
    await weights.release();
  }
}

function taskOf({ document }: RoundTask, shard: string): Record<string, unknown> {
  const { name, inputs, target, output, loss } = document;
  return {
    name,
    shard,
    inputs,
    target,
    ...(output === undefined ? {} : { output }),
    loss: loss.name === "cross_entropy"
      ? {
        name: loss.name,
        ignore_index: loss.ignoreIndex,
        label_smoothing: loss.labelSmoothing,
      }
      : loss.name,
  };
}

function documentOf(
  local: ReturnType<typeof localOf>,
  bySteps: boolean,
): Record<string, unknown> {
  const { optimizer, learningRate } = local;
  return {
    ...(bySteps ? { steps: local.steps } : { epochs: local.epochs }),
    batch_size: local.batchSize,
    shuffle: local.shuffle,
    optimizer: optimizer.name === "sgd"
      ? {
        name: "sgd",
        learning_rate: learningRate,
        momentum: optimizer.momentum,
        nesterov: optimizer.nesterov,
        weight_decay: optimizer.weightDecay,
      }
      : {
        name: optimizer.name,
        learning_rate: learningRate,
        betas: optimizer.betas,
        epsilon: optimizer.epsilon,
        weight_decay: optimizer.weightDecay,
      },
    schedule: local.schedule,
    clip_norm: local.clipNorm,
    proximal: local.proximal,
    first_epoch: local.firstEpoch,
  };
}

function sourceOf(spec: { readonly type: string; readonly url?: string }, task: string): unknown {
  if (spec.type === "url" && spec.url) return { url: spec.url };
  throw new Problem(
    "invalid-recipe",
    `Cannot tune ${
      JSON.stringify(task)
    } at its participant as the model must be a stored one that the ` +
      `participant holds too, or a URL: current value is ${spec.type}`,
    { task },
  );
}

/** What of the answer is used, if it is of the right form and from the right start. */
function checkAnswer(
  answer: Readonly<Record<string, unknown>>,
  task: string,
  start: string,
): ParticipantAnswer {
  const from = idOf(answer["start"]);
  if (from !== undefined && from !== start) {
    throw refused(task, `it must start from ${start}: current value is ${from}`);
  }
  const vector = idOf(answer["task_vector"]);
  const { steps, examples, loss } = answer;
  const losses = Array.isArray(loss) ? loss : [NaN];
  if (
    vector !== undefined && isCount(steps) && isCount(examples) && losses.every(Number.isFinite)
  ) {
    return { task_vector: { id: vector }, steps, examples, loss: losses };
  }
  throw new Problem(
    "upstream",
    `Cannot use the answer of the participant of ${
      JSON.stringify(task)
    } as it must hold task_vector, steps, ` +
      `examples and loss: current keys are ${Object.keys(answer).join(", ")}`,
    { task },
  );
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function idOf(value: unknown): string | undefined {
  if (typeof value !== "object" || value === null || !("id" in value)) return undefined;
  return typeof value.id === "string" ? value.id : undefined;
}

/** Names, shapes and types of what came back. */
function checkVector(vector: Checkpoint, start: Checkpoint, task: RoundTask, name: string): void {
  if (vector.kind !== "task_vector") {
    throw refused(name, `it must hold a task vector: current value is ${vector.kind}`);
  }
  for (const tensor of task.trainable) {
    const theirs = vector.tensors.get(tensor);
    const ours = start.tensors.get(tensor);
    if (!theirs) throw refused(name, `the tensor ${tensor} is missing`, tensor);
    if (DTYPES[theirs.dtype].kind !== "float") {
      throw refused(
        name,
        `${tensor} must be floating-point: current value is ${theirs.dtype}`,
        tensor,
      );
    }
    if (ours && theirs.shape.join() !== ours.shape.join()) {
      throw refused(
        name,
        `${tensor} must have the shape [${ours.shape.join(", ")}]: current value is [${
          theirs.shape.join(", ")
        }]`,
        tensor,
      );
    }
  }
}

function refused(task: string, reason: string, tensor?: string): Problem {
  return new Problem(
    "mismatch",
    `Cannot use the task vector of the participant of ${JSON.stringify(task)} as ${reason}`,
    { task, ...(tensor === undefined ? {} : { tensor }) },
  );
}
