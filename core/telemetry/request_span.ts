/**
 * The span that the host began for a request.
 *
 * @module
 */
import { isSpanContextValid, type SpanContext, trace } from "@opentelemetry/api";
import type { Attributes } from "./attributes.ts";

/** Names the request's span by its route, since the host knows only the method. */
export function nameRequest(method: string, route: string, attributes: Attributes): void {
  const span = trace.getActiveSpan();
  if (!span) return;
  span.updateName(`${method} ${route}`);
  span.setAttributes({ ...attributes, "http.route": route });
}

/** The trace that is under way, for lines of the log; undefined if there is none. */
export function traceId(): string | undefined {
  return activeSpan()?.traceId;
}

/** What names the span that is under way, to be kept; undefined if there is none. */
export function activeSpan(): SpanContext | undefined {
  const known = trace.getActiveSpan()?.spanContext();
  if (!known || !isSpanContextValid(known)) return undefined;
  const { traceId, spanId, traceFlags } = known;
  return { traceId, spanId, traceFlags };
}
