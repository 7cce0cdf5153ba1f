/**
 * The route table: every operation of the service.
 *
 * @module
 */
import { CATALOGUE_OPERATIONS } from "./catalogue.ts";
import { CHECKPOINT_OPERATIONS } from "./checkpoints.ts";
import { JOB_OPERATIONS } from "./jobs.ts";
import { MERGE_OPERATIONS } from "./merging.ts";
import type { Operation } from "./operation.ts";
import { ROUND_OPERATIONS } from "./rounds.ts";
import { SERVICE_OPERATIONS } from "./service.ts";
import { TUNE_OPERATIONS } from "./tuning.ts";

/** Every operation, in the order of the documentation. */
export const OPERATIONS: readonly Operation[] = [
  ...MERGE_OPERATIONS,
  ...CHECKPOINT_OPERATIONS,
  ...TUNE_OPERATIONS,
  ...ROUND_OPERATIONS,
  ...JOB_OPERATIONS,
  ...CATALOGUE_OPERATIONS,
  ...SERVICE_OPERATIONS,
];
