/**
 * What `/merge`, `/plan` and `/merges/{id}/report` answer.
 *
 * @module
 */
import * as v from "valibot";
import { Count, DTypeName, Members, Names, Shape } from "./common.ts";
import { ENGINE_CHOICE } from "./engine.ts";

const Action = v.picklist(["merge", "copy", "omit", "skip"]);
const Rng = v.picklist(["threefry", "mt19937"]);
const Place = v.pipe(v.number(), v.description("Position over the layers, 0 to 1."));
const Parameters = v.pipe(
  Members,
  v.description("Resolved ones: by name, those of a model under the model's name."),
);
const Reasons = v.pipe(Names, v.description("Codes such as unselected, integer, shape."));

const PlannedTensor = v.strictObject({
  name: v.string(),
  dtype: DTypeName,
  shape: Shape,
  action: Action,
  reason: v.nullable(v.string()),
  reasons: Reasons,
  parameters: Parameters,
  t: Place,
  models: Names,
});

/** The plan. */
export const PlanAnswer = v.strictObject({
  method: v.string(),
  kind: v.picklist(["weights", "task_vector", "adapter"]),
  seed: Count,
  rng: Rng,
  bytes_in: v.pipe(Count, v.description("Bytes of tensors that will be read, over all passes.")),
  bytes_out: v.pipe(Count, v.description("Exact size of the result.")),
  passes: Count,
  peak_memory: Count,
  tensors: v.array(PlannedTensor),
  warnings: Names,
});

const Engine = v.strictObject(ENGINE_CHOICE);

const ReportedTensor = v.strictObject({
  name: v.string(),
  action: Action,
  reasons: Reasons,
  parameters: Parameters,
  t: Place,
  models: Names,
  statistics: v.optional(Members),
  engine: v.optional(
    v.pipe(v.literal("webgpu"), v.description("Where a GPU computed it, unless it was lost.")),
  ),
});

/** The report of a merge. */
export const MergeReport = v.strictObject({
  state: v.picklist(["done", "failed"]),
  method: v.string(),
  seed: Count,
  rng: Rng,
  bytes: Count,
  warnings: Names,
  metadata: v.record(v.string(), v.string()),
  engine: Engine,
  tensors: v.array(ReportedTensor),
  problem: v.optional(v.strictObject({ kind: v.string(), detail: v.string() })),
});

const SentFile = v.strictObject({
  file: v.string(),
  bytes: Count,
  host: v.string(),
  etag: v.optional(v.string()),
});

/** What is answered where the result is sent elsewhere. */
export const PutResult = v.strictObject({
  put: v.array(SentFile),
  report: v.pipe(v.string(), v.description("The address of the report.")),
});
