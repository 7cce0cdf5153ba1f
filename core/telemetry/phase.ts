/**
 * Phases of the work as spans. Without a provider of OpenTelemetry every call here does nothing.
 *
 * @module
 */
import { context, type Span, type SpanContext, SpanStatusCode, trace } from "@opentelemetry/api";
import { Problem } from "../problem.ts";
import { VERSION } from "../version.ts";
import { type Attributes, SCOPE } from "./attributes.ts";

/** A phase that is under way. */
export interface Phase {
  /** Adds what was found out meanwhile. */
  note(attributes: Attributes): void;
  /** Runs something whose phases belong to this one. */
  within<T>(work: () => T): T;
  /** Ends it; with an error as failed, of which only the kind is told. */
  end(error?: unknown): void;
}

/** How a phase begins. */
export interface PhaseOptions {
  readonly attributes?: Attributes;
  /** Whether it belongs to no other phase, such as a job that outlives its request. */
  readonly root?: boolean;
  /** A span of another trace that led to it. */
  readonly cause?: SpanContext | undefined;
}

/** Begins a phase of the one that is under way where this is called. */
export function startPhase(name: string, { attributes, root, cause }: PhaseOptions = {}): Phase {
  const span = trace.getTracer(SCOPE, VERSION).startSpan(name, {
    ...(attributes === undefined ? {} : { attributes: { ...attributes } }),
    ...(root === undefined ? {} : { root }),
    ...(cause === undefined ? {} : { links: [{ context: cause }] }),
  });
  return {
    note: (found) => void span.setAttributes({ ...found }),
    within: (work) => context.with(trace.setSpan(context.active(), span), work),
    end(error) {
      if (error !== undefined) failed(span, error);
      span.end();
    },
  };
}

/** Runs work as a phase; its own phases belong to it, and its failure is told. */
export async function inPhase<T>(
  name: string,
  work: (phase: Phase) => T | Promise<T>,
  options: PhaseOptions = {},
): Promise<T> {
  const phase = startPhase(name, options);
  try {
    const result = await phase.within(() => work(phase));
    phase.end();
    return result;
  } catch (error) {
    // A reason may also be undefined.
    phase.end(error ?? "none");
    throw error;
  }
}

/** Without the message, which may quote what a caller wrote. */
function failed(span: Span, error: unknown): void {
  span.setAttribute("error.type", kindOf(error));
  span.setStatus({ code: SpanStatusCode.ERROR });
}

/** The kind of a problem, `cancelled`, or `internal`. */
export function kindOf(error: unknown): string {
  if (error instanceof Problem) return error.kind;
  return error instanceof DOMException && error.name === "AbortError" ? "cancelled" : "internal";
}
