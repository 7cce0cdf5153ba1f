/**
 * Takes secrets out of spans that the host makes by itself.
 *
 * Deno writes the whole address of every request and of every fetch into its spans, before any of our code runs. The
 * class of its spans is wrapped here, so that nothing reaches a collector that {@linkcode redact} would not leave in
 * a log. Deno takes {@linkcode untraced} for its headers, but makes the span all the same: such spans are never ended,
 * and so never sent.
 *
 * @module
 */
import type { AttributeValue, Exception, Span } from "@opentelemetry/api";
import { trace } from "@opentelemetry/api";
import { redact } from "../redact.ts";
import { SCOPE } from "./attributes.ts";
import { isUntraced } from "./untraced.ts";

const MASK = "[redacted]";
const WRAPPED = new WeakSet<Span>();

/** Wraps the spans of this host; to be called before the first request. Further calls do nothing. */
export function redactSpans(): void {
  const span = trace.getTracer(SCOPE).startSpan("start");
  span.end();
  const spans: Span = Object.getPrototypeOf(span);
  if (WRAPPED.has(spans)) return;
  WRAPPED.add(spans);
  const { setAttribute, setAttributes, addEvent, recordException, setStatus, updateName, end } =
    spans;
  const untold = new WeakSet<Span>();
  Object.assign(
    spans,
    {
      setAttribute(this: Span, name, value) {
        if (isUntraced()) untold.add(this);
        return setAttribute.call(this, name, told(name, value));
      },
      setAttributes(this: Span, attributes) {
        return setAttributes.call(this, allTold(attributes));
      },
      addEvent(this: Span, name, more, time) {
        const isAttributes = typeof more === "object" && !Array.isArray(more) &&
          !(more instanceof Date);
        return addEvent.call(
          this,
          redact(name),
          isAttributes ? allTold(more as Readonly<Record<string, AttributeValue>>) : more,
          time,
        );
      },
      recordException(this: Span, exception, time) {
        return recordException.call(this, exceptionTold(exception), time);
      },
      setStatus(this: Span, { code, message }) {
        return setStatus.call(this, {
          code,
          ...(message === undefined ? {} : { message: redact(message) }),
        });
      },
      end(this: Span, time) {
        if (!untold.has(this)) end.call(this, time);
      },
      updateName(this: Span, name) {
        return updateName.call(this, redact(name));
      },
    } satisfies Partial<Span>,
  );
}

function allTold(
  attributes: Readonly<Record<string, AttributeValue | undefined>>,
): Record<string, AttributeValue> {
  const given = Object.entries(attributes).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given.map(([name, value]) => [name, told(name, value!)]));
}

/** An attribute's value as it may be told. */
function told(name: string, value: AttributeValue): AttributeValue {
  if (name === "url.query") return value === "" ? value : MASK;
  if (typeof value === "string") return redact(value);
  if (!Array.isArray(value)) return value;
  return value.map((each) => typeof each === "string" ? redact(each) : each) as typeof value;
}

function exceptionTold(exception: Exception): Exception {
  if (typeof exception === "string") return redact(exception);
  const { name = "Error", message = "", stack = "" } = exception;
  return { name, message: redact(message), stack: redact(stack) };
}
