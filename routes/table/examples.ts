/**
 * Requests that `/openapi.json` and `/docs` show. The tests send every one of them to the service, with the files of
 * `fixtures/digits` under the names given here, and expect the status given here.
 *
 * @module
 */
import type { Example } from "./examples/example.ts";
import { MERGING_EXAMPLES } from "./examples/merging.ts";
import { SERVICE_EXAMPLES } from "./examples/service.ts";
import { TUNING_EXAMPLES } from "./examples/tuning.ts";

export type { Example } from "./examples/example.ts";
export { STORED_EXAMPLES } from "./examples/stored.ts";

/** The requests, in an order in which they can be sent. */
export const EXAMPLES: readonly Example[] = [
  ...MERGING_EXAMPLES,
  ...TUNING_EXAMPLES,
  ...SERVICE_EXAMPLES,
];

/** The examples of an operation. */
export function examplesOf(operation: string): readonly Example[] {
  return EXAMPLES.filter((example) => example.operation === operation);
}
