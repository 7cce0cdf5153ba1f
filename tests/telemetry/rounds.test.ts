import { assert, assertEquals } from "@std/assert";
import { type Span, trace, type Tracer } from "@opentelemetry/api";
import { runTasks } from "../support/atm.ts";
import { testApp } from "../support/service.ts";

/** A span as it was begun, and how it ended. */
interface Begun {
  readonly name: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  ended: boolean;
}

/** A provider that keeps what is begun. */
function recorder(): { readonly spans: Begun[]; readonly getTracer: () => Tracer } {
  const spans: Begun[] = [];
  const begin: Tracer["startSpan"] = (name, options = {}) => {
    const attributes: Record<string, unknown> = { ...options.attributes };
    const begun: Begun = { name, attributes, ended: false };
    spans.push(begun);
    const bare = trace.wrapSpanContext({ traceId: "", spanId: "", traceFlags: 0 });
    const span: Span = Object.assign(Object.create(bare) as Span, {
      setAttributes(found: Readonly<Record<string, unknown>>) {
        Object.assign(attributes, found);
        return span;
      },
      end: () => void (begun.ended = true),
    });
    return span;
  };
  const tracer = { startSpan: begin, startActiveSpan: () => undefined };
  return { spans, getTracer: () => tracer as unknown as Tracer };
}

Deno.test("rounds have a span each, with their tunings, merges and what they store; nothing of the tasks is told", async () => {
  const recorded = recorder();
  trace.setGlobalTracerProvider(recorded);
  const test = testApp();
  try {
    await runTasks({ rounds: 2, mode: "published" }, undefined, {}, test);
  } finally {
    await test.close();
    trace.disable();
  }
  const named = (name: string) => recorded.spans.filter((span) => span.name === name);
  assertEquals(named("receive").length, 1);
  assertEquals(named("atm").length, 1);
  assertEquals(named("atm round").map(({ attributes }) => attributes), [
    { "amalgam.round": 1 },
    { "amalgam.round": 2 },
  ]);
  // Two tasks.
  assertEquals(named("tune").length, 4);
  assert(named("merge").length >= 2 && named("store commit").length >= 2);
  assert(named("merge").every(({ attributes }) => Number(attributes["amalgam.tensors"]) > 0));
  assertEquals(recorded.spans.filter(({ ended }) => !ended), []);
  const told = JSON.stringify(recorded.spans);
  assertEquals(/one|two|start|shard|net\b/.test(told), false, told);
});
