/**
 * Keeps the report of a merge, if it can be kept.
 *
 * @module
 */
import type { UseStore } from "idb-keyval";
import { putReport } from "../../core/store/records.ts";

/** Where reports go, and who is told of those that are lost. */
export interface ReportPorts {
  readonly records: UseStore;
  readonly log?: (id: string, error: unknown) => void;
}

/** A report that is lost goes to the log: the merge that it tells of stands without it. */
export async function keepReport(
  { records, log }: ReportPorts,
  id: string,
  report: unknown,
): Promise<void> {
  try {
    await putReport(records, id, report);
  } catch (error) {
    log?.(id, error);
  }
}
