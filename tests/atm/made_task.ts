/**
 * Tasks made in memory.
 *
 * @module
 */
import type { InputBinding, TaskDocument } from "../../core/atm/task_document.ts";
import { TaskSchema } from "../../core/atm/task_schema.ts";
import { parseTask } from "../../core/atm/task_document.ts";
import * as v from "valibot";

/** A task on a shard, with the targets in `y`. */
export function taskOn(
  shard: string,
  inputs: Readonly<Record<string, InputBinding>>,
  loss = "cross_entropy",
): TaskDocument {
  const form = v.parse(TaskSchema, { name: "t", shard, target: "y", loss });
  return { ...parseTask(form, "task", []), inputs };
}
