/**
 * What `/adapters` answers.
 *
 * @module
 */
import * as v from "valibot";
import { BlobIdSchema } from "../parameters.ts";
import { COMMON_EVENTS, Count, Members, Stored } from "./common.ts";

const module = {
  name: v.string(),
  module: v.string(),
  rank: Count,
  relative_error: v.number(),
};

const LeftOut = v.strictObject({
  name: v.string(),
  reason: v.picklist(["unselected", "not-a-matrix", "not-a-weight", "integer", "unchanged"]),
  norm_share: v.number(),
});

const extraction = {
  id: BlobIdSchema,
  checkpoint: Stored,
  rank: v.pipe(Count, v.description("The largest one.")),
  modules: v.array(v.strictObject(module)),
  relative_error: v.pipe(v.number(), v.description("Of the matrices that the adapter has.")),
  overall_error: v.pipe(
    v.number(),
    v.description("Of the whole task vector: what was left out counts as lost."),
  ),
  left_out: v.array(LeftOut),
  config: v.pipe(Members, v.description("PEFT's `adapter_config.json`.")),
};

/** What was extracted. */
export const Extraction = v.strictObject(extraction);

/** What is told while it works. */
export const ExtractionEvent = v.variant("event", [
  v.strictObject({ event: v.literal("module"), ...module }),
  v.strictObject({ event: v.literal("result"), ...extraction }),
  ...COMMON_EVENTS,
]);
