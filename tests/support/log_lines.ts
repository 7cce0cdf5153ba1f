/**
 * A log whose lines are kept, for tests.
 *
 * @module
 */
import { createLog, type Log, type LogLevel } from "../../core/log.ts";

/** A line as it was written, parsed. */
export type LogLine = Readonly<Record<string, unknown>>;

/** Makes a log and the list that its lines come into. */
export function keptLog(level: LogLevel = "debug"): {
  readonly log: Log;
  readonly lines: LogLine[];
  /** The lines about requests. */
  readonly requests: () => LogLine[];
} {
  const lines: LogLine[] = [];
  return {
    log: createLog(level, (line) => lines.push(JSON.parse(line))),
    lines,
    requests: () => lines.filter(({ message }) => message === "request"),
  };
}
