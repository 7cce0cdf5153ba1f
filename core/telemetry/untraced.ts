/**
 * Requests to hosts that callers name: without a span, which would hold the whole address, and without a header that
 * tells those hosts of our traces.
 *
 * @module
 */
import { context, createContextKey } from "@opentelemetry/api";

/** The key by which OpenTelemetry's instrumentations find out that they are not wanted. */
const SUPPRESSED = createContextKey("OpenTelemetry SDK Context Key SUPPRESS_TRACING");

/** Whether what runs here is not to be traced. */
export function isUntraced(): boolean {
  return context.active().getValue(SUPPRESSED) === true;
}

/** Runs something that the host's own instrumentation does not see, see {@linkcode redactSpans}. */
export function untraced<T>(work: () => T): T {
  return context.with(context.active().setValue(SUPPRESSED, true), work);
}
