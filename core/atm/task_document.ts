/**
 * Reads a task: which shard of data feeds which inputs of a graph, and what is asked of its output.
 *
 * @module
 */
import type * as v from "valibot";
import { type LossSpec, parseLoss } from "../gradient/loss_options.ts";
import { joinPath, show } from "../merge/faults.ts";
import type { Fault } from "../problem.ts";
import { headersFault } from "../sources/header_fields.ts";
import type { TaskSchema } from "./task_schema.ts";

export { TaskSchema } from "./task_schema.ts";

/** A task as its schema gives it. */
export type TaskForm = v.InferOutput<typeof TaskSchema>;

/** What feeds one graph input: `array · scale + offset`, in another shape if one is given. */
export interface InputBinding {
  /** Name of an array of the shard. */
  readonly from: string;
  readonly scale: number;
  readonly offset: number;
  /** -1 for the rows, then the shape of one; absent: the array's own. */
  readonly shape?: readonly number[];
}

/** A checked task with all defaults filled in. */
export interface TaskDocument {
  readonly name: string;
  /** Name of the source to tune or evaluate on; a participant's own, if the document names no other. */
  readonly shard: string;
  /** By graph input. An input that is not listed takes the array of its own name. */
  readonly inputs: Readonly<Record<string, InputBinding>>;
  readonly target: { readonly from: string };
  /** The graph output that the loss reads; absent: the first one. */
  readonly output?: string;
  readonly loss: LossSpec;
  /** Name of a source of tensors that belong to this task alone. */
  readonly parameters?: string;
  readonly weight: number;
  /** Name of the shard that choices are made on. */
  readonly select?: string;
  /** Name of the shard that is looked at once, at the end. */
  readonly test?: string;
  /** The service that tunes this task on a shard of its own. */
  readonly participant?: ParticipantSpec;
}

/** A participant. */
export interface ParticipantSpec {
  readonly url: string;
  /** Id of the shard there. */
  readonly shard: string;
  /** Sent with every call; may hold an authorization and is kept nowhere. */
  readonly headers: Readonly<Record<string, string>>;
  /** Seconds without a byte after which a call has failed. */
  readonly timeout: number;
  /** A longer task vector is refused; absent: one that is longer than the weights. */
  readonly maxNorm?: number;
}

/**
 * The task of a document whose form was checked against {@linkcode TaskSchema}.
 *
 * @param path Where it stands, such as `tasks[0]`.
 * @param faults Receives what does not go together.
 */
export function parseTask(form: TaskForm, path: string, faults: Fault[]): TaskDocument {
  const { name, shard, inputs, target, output, parameters, weight, select, test } = form;
  const { participant } = form;
  faults.push(...shardFaults(form, path));
  const unsendable = headersFault(participant?.headers ?? {}, joinPath(path, "participant"));
  if (unsendable) faults.push(unsendable);
  return {
    name,
    shard: shard ?? participant?.shard ?? "",
    inputs: Object.fromEntries(
      Object.entries(inputs).map(([input, binding]) => [input, bindingOf(binding)]),
    ),
    target: typeof target === "string" ? { from: target } : target,
    ...(output ? { output } : {}),
    loss: parseLoss(form.loss),
    ...(parameters ? { parameters } : {}),
    weight,
    ...(select ? { select } : {}),
    ...(test ? { test } : {}),
    ...(participant ? { participant: participantOf(participant) } : {}),
  };
}

/** The shards of a task must be there, and different ones. */
function shardFaults(task: TaskForm, path: string): Fault[] {
  const faults: Fault[] = [];
  if (!task.shard && !task.participant) {
    faults.push({
      path: joinPath(path, "shard"),
      message: "Cannot read the task as shard is missing: current value is undefined",
    });
  }
  const seen = new Map<string, string>();
  for (const key of ["shard", "select", "test"] as const) {
    const name = task[key];
    if (!name) continue;
    const other = seen.get(name);
    if (other === undefined) seen.set(name, key);
    else {
      faults.push({
        path: joinPath(path, key),
        message: `Cannot use ${key} as it must be another source than ${other}: ` +
          `current value is ${show(name)}`,
      });
    }
  }
  return faults;
}

function participantOf(form: NonNullable<TaskForm["participant"]>): ParticipantSpec {
  const { max_norm, ...rest } = form;
  return { ...rest, ...(max_norm ? { maxNorm: max_norm } : {}) };
}

function bindingOf(binding: TaskForm["inputs"][string]): InputBinding {
  if (typeof binding === "string") return { from: binding, scale: 1, offset: 0 };
  const { from, scale, offset, shape } = binding;
  return { from, scale, offset, ...(shape ? { shape } : {}) };
}
