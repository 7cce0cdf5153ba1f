/**
 * What `/checkpoints` answers.
 *
 * @module
 */
import * as v from "valibot";
import { BlobIdSchema } from "../parameters.ts";
import { Count, DTypeName, Shape, Time } from "./common.ts";

const Kind = v.picklist([
  "weights",
  "task_vector",
  "adapter",
  "statistics",
  "model",
  "shard",
  "file",
]);

/** What is known of a stored file. */
export const Manifest = v.strictObject({
  id: BlobIdSchema,
  bytes: Count,
  kind: Kind,
  tensors: v.pipe(Count, v.description("Number of tensors, initializers or columns.")),
  parameters: v.pipe(Count, v.description("Number of their elements.")),
  created: Time,
  adapter_config: v.optional(
    v.pipe(v.string(), v.description("The text of an adapter's configuration.")),
  ),
  media_type: v.optional(v.pipe(v.string(), v.description("Of a file that is no checkpoint."))),
  name: v.optional(v.pipe(v.string(), v.description("For saving such a file."))),
});

/** One page of the list. */
export const CheckpointPage = v.strictObject({
  checkpoints: v.array(Manifest),
  next: v.pipe(
    v.nullable(BlobIdSchema),
    v.description("The value of `after` for the next page; null on the last one."),
  ),
});

/** The tensors of a file. */
export const TensorList = v.strictObject({
  kind: Kind,
  metadata: v.record(v.string(), v.string()),
  tensors: v.array(
    v.strictObject({ name: v.string(), dtype: DTypeName, shape: Shape, bytes: Count }),
  ),
});
