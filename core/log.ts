/**
 * Structured logs: one line of JSON per event, without secrets and data.
 *
 * @module
 */
import { redactValue } from "./redact.ts";

/** How much is told, from nothing to everything. */
export const LOG_LEVELS = ["off", "error", "info", "debug"] as const;

/** One of {@linkcode LOG_LEVELS}. */
export type LogLevel = typeof LOG_LEVELS[number];

/** How much an event matters. */
export type EventLevel = Exclude<LogLevel, "off">;

/** Tells of an event. Members that are undefined are left out. */
export type Log = (
  level: EventLevel,
  message: string,
  members?: Readonly<Record<string, unknown>>,
) => void;

/**
 * Makes a log.
 *
 * @param threshold The last level that is told.
 * @param write Is given each line, without a line end.
 * @param now Milliseconds since 1970.
 */
export function createLog(
  threshold: LogLevel,
  write: (line: string, level: EventLevel) => void,
  now: () => number = Date.now,
): Log {
  const last = LOG_LEVELS.indexOf(threshold);
  return (level, message, members = {}) => {
    if (LOG_LEVELS.indexOf(level) > last) return;
    const told = redactValue({ message, ...members }) as Record<string, unknown>;
    write(JSON.stringify({ time: new Date(now()).toISOString(), level, ...told }), level);
  };
}

/** A log that tells nothing. */
export const noLog: Log = () => {};
