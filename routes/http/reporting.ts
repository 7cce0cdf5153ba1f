/**
 * What calls that keep a report stand on.
 *
 * @module
 */
import type { Reports } from "../../core/store/reports.ts";

/** Where reports go: one that is lost goes to the log, the merge that it tells of stands without it. */
export interface ReportingPorts {
  readonly reports: Reports;
}
