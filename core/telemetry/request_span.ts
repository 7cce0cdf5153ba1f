/**
 * The span that the host began for a request.
 *
 * @module
 */
import { isSpanContextValid, trace } from "@opentelemetry/api";
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
  const known = trace.getActiveSpan()?.spanContext();
  return known && isSpanContextValid(known) ? known.traceId : undefined;
}
