import { assertEquals, assertRejects } from "@std/assert";
import { trace } from "@opentelemetry/api";
import { Problem } from "../../core/problem.ts";
import { inPhase, kindOf, startPhase } from "../../core/telemetry/phase.ts";
import { redactSpans } from "../../core/telemetry/redact_spans.ts";
import { isUntraced, untraced } from "../../core/telemetry/untraced.ts";

Deno.test("without a provider phases do nothing but run their work and hand on what it throws", async () => {
  const phase = startPhase("x", { attributes: { a: 1 }, root: true });
  phase.note({ b: "2" });
  assertEquals(phase.within(() => 5), 5);
  phase.end(new Error("x"));
  assertEquals(await inPhase("x", () => 6), 6);
  const failure = new Problem("mismatch", "x");
  const thrown = await assertRejects(() => inPhase("x", () => Promise.reject(failure)));
  assertEquals(thrown, failure);
  assertEquals(untraced(() => 7), 7);
  assertEquals([isUntraced(), trace.getActiveSpan()], [false, undefined]);
  redactSpans();
  redactSpans();
});

Deno.test("of a failure only its kind is told", () => {
  assertEquals(kindOf(new Problem("too-large", "secret")), "too-large");
  assertEquals(kindOf(new DOMException("secret", "AbortError")), "cancelled");
  assertEquals([kindOf(new Error("secret")), kindOf("secret")], ["internal", "internal"]);
});
