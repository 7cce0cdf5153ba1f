import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { eventData, jsonLines } from "../../../../routes/page/app/service/event_lines.ts";
import { USUAL, valueAt, withValue } from "../../../../routes/page/app/views/atm/draft.ts";
import {
  after,
  NOTHING,
  type Progress,
  stepsDone,
} from "../../../../routes/page/app/views/atm/progress.ts";
import { spans } from "../../../../routes/page/app/views/atm/run_result.tsx";
import { meanCosine, scoreLines } from "../../../../routes/page/app/views/atm/score_lines.ts";
import { runTasks } from "../../../support/atm.ts";

/** An answer whose bytes come in pieces of some sizes. */
function inPieces(text: string, sizes: readonly number[]): Response {
  const bytes = new TextEncoder().encode(text);
  let at = 0;
  let turn = 0;
  return new Response(
    new ReadableStream({
      pull(stream) {
        if (at >= bytes.length) return stream.close();
        const size = sizes[turn++ % sizes.length]!;
        stream.enqueue(bytes.slice(at, at += size));
      },
    }),
  );
}

const sizes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 });

Deno.test("events are read whole however the bytes are cut", async () => {
  const values = fc.array(fc.record({ text: fc.string({ unit: "grapheme" }) }), { maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(values, sizes, async (list, pieces) => {
      const lines = list.map((value) => `${JSON.stringify(value)}\n`).join("");
      assertEquals(await Array.fromAsync(jsonLines(inPieces(lines, pieces))), list as unknown[]);
      const events = list.map((value, i) =>
        `: alive\n\nid: ${i}\nevent: running\ndata: ${JSON.stringify(value)}\n\n`
      ).join("");
      assertEquals(await Array.fromAsync(eventData(inPieces(events, pieces))), list as unknown[]);
    }),
    { numRuns: 50 },
  );
});

Deno.test("the events of a run add up to its answer", async () => {
  const { events, answer } = await runTasks({
    references: ["base", "mean"],
    rounds: 3,
    keep_rounds: true,
  });
  const progress = events.reduce<Progress>(after, NOTHING);
  assertEquals({ ...progress.answer, event: "result" }, answer as unknown);
  assertEquals(progress.rounds, answer.rounds);
  const before = events.slice(0, -1).reduce<Progress>(after, NOTHING);
  const { start, rounds, references } = before;
  assertEquals({ start, rounds, references }, {
    start: answer.start,
    rounds: answer.rounds,
    references: answer.references,
  });
  const steps = stepsDone(before)!;
  assertEquals([steps.done, steps.total], [answer.cost.steps, answer.cost.steps]);
  const tuning = events.findIndex(({ event }) => event === "task");
  const first = stepsDone(events.slice(0, tuning + 1).reduce<Progress>(after, NOTHING))!;
  assert(first.done >= 1 && first.done < first.total, `${first.done} of ${first.total}`);
  assertEquals(stepsDone(NOTHING), undefined);
  const all = scoreLines(progress, "loss");
  assertEquals(all.places, ["0", "1", "2", "3"]);
  assertEquals(all.series.map(({ name }) => name), ["mean", "one", "two"]);
  const mean = answer.rounds.map(({ mean }) => mean!.loss);
  all.series[0]!.values.slice(1).forEach((value, i) => assert(Math.abs(value! - mean[i]!) < 1e-12));
  const one = scoreLines(progress, "accuracy", "one");
  assertEquals(one.references.map(({ name }) => name), ["start", "mean of experts"]);
  assertEquals(one.references[0]!.value, answer.start["one"]!.accuracy);
  assertEquals(meanCosine([[1, 0.5, 0], [0.5, 1, 0.1], [0, 0.1, 1]]), 0.6 / 3);
});

Deno.test("a problem ends a run, and what was known stays", () => {
  const problem = { type: "/problems/upstream", title: "t", status: 502, detail: "d" };
  const { problem: told, rounds } = after(NOTHING, { ...problem, event: "error" });
  assertEquals([told, rounds], [problem, []]);
});

Deno.test("a value that is put at a path is found there, and nothing else changes", () => {
  const path = fc.constantFrom("rounds", "local.optimizer.name", "tasks[0].shard", "a.b.c", "stop");
  fc.assert(fc.property(path, fc.oneof(fc.string(), fc.integer()), (at, value) => {
    const next = withValue(USUAL, at, value);
    assertEquals(valueAt(next, at), value);
    const [top] = at.split(/[.[]/);
    for (const key of Object.keys(USUAL)) {
      if (key !== top) assertEquals(next[key], USUAL[key]);
    }
  }));
  assertEquals(withValue({ a: { b: 1 }, c: 2 }, "a.b", undefined), { c: 2 });
  assertEquals(withValue({ tasks: [1, 2] }, "tasks[0]", undefined), { tasks: [2] });
  assertEquals(valueAt({}, "toString.name"), undefined);
});

Deno.test("rounds in a row are one span", () => {
  assertEquals([[], [0], [0, 1, 2, 5, 7, 8]].map(spans), ["", "0", "0–2, 5, 7–8"]);
});
