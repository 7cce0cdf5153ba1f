import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { numbersOf, tensorOf } from "../../core/onnx/element_type.ts";
import {
  atmDocument,
  atmEvents,
  atmUploads,
  farthest,
  runTasks,
  valuesOf,
} from "../support/atm.ts";
import { testApp } from "../support/service.ts";
import { numbers, rows, safetensorsOf, weights } from "../support/small_model.ts";
import { postDocument } from "../support/tuning.ts";

const START = Object.fromEntries(
  Object.entries(weights(1)).map(([name, tensor]) => [name, numbersOf(tensor)]),
);

Deno.test("a guarded run never returns less than its start on the select shards", async () => {
  const local = { epochs: 20, optimizer: { name: "sgd", learning_rate: 5 } };
  const { answer, values } = await runTasks({ local, rounds: 6, stop: { patience: 2 } });
  const loss = (scores: typeof answer.start) =>
    Object.values(scores).reduce((sum, score) => sum + score.loss, 0) / 2;
  const accepted = answer.rounds.filter((round) => round.accepted);
  let last = loss(answer.start);
  for (const { mean } of accepted) {
    assert(mean!.loss < last);
    last = mean!.loss;
  }
  if (answer.best_round === 0) assertEquals(farthest(values, START), 0);
  const rejected = answer.rounds.filter((round) => !round.accepted);
  for (const { alpha } of rejected) assertEquals(alpha, 1 / 16);
  assertEquals(answer.cost.steps, answer.rounds.length * 2 * 20 * 3);
});

Deno.test("the published mode accepts every round and returns the last", async () => {
  const local = { epochs: 5, optimizer: { name: "sgd", learning_rate: 3 } };
  const { answer } = await runTasks({ local, rounds: 3, mode: "published" });
  assertEquals(answer.rounds.map(({ accepted, alpha }) => [accepted, alpha]), [
    [true, 1],
    [true, 1],
    [true, 1],
  ]);
  assertEquals(answer.mode, "published");
  // The second round scores better than the third, and is not the result.
  assert(answer.rounds[1]!.mean!.loss < answer.rounds[2]!.mean!.loss);
  assertEquals(answer.best_round, 3);
});

Deno.test("without select shards nothing can be selected, and the run says so", async () => {
  const tasks = ["one", "two"].map((name) => ({
    name,
    shard: `${name}-tune`,
    target: "y",
    loss: "cross_entropy",
  }));
  const { answer } = await runTasks({ tasks, references: ["base", "task_arithmetic"] });
  assertEquals(answer.mode, "published");
  assertEquals(answer.references["task_arithmetic"], { gap: "λ needs select shards" });
});

Deno.test("rows in two shards of a task are refused, also with another label", async () => {
  const { app, close } = testApp();
  try {
    const x = numbers(96, 1);
    const relabelled = safetensorsOf({
      x: tensorOf("float32", [2, 4], [9, 9, 9, 9, ...x.slice(20, 24)]),
      y: tensorOf("int64", [2], [0, 0]),
    });
    for (const use of ["select", "test"]) {
      for (const overlap of ["refuse", "allow"]) {
        const document = atmDocument({ overlap });
        const uploads = atmUploads(document, { [`one-${use}`]: relabelled });
        const last = (await atmEvents(app, document, uploads)).at(-1)!;
        if (use === "select" && overlap === "allow") {
          assertEquals(last["event"], "result");
          assertEquals(last["overlaps"], [{ task: "one", between: ["tune", "select"], count: 1 }]);
          continue;
        }
        assertEquals([last["event"], last["type"], last["status"]], [
          "error",
          "/problems/split-overlap",
          409,
        ]);
        assertEquals([last["count"], last["rows"]], [1, [{ tune: 5, [use]: 1 }]]);
      }
    }
  } finally {
    await close();
  }
});

Deno.test("warnings: DARE in the loop, a shard sorted by class, few rows", async () => {
  const sorted = rows(240, 5, numbers(240, 1).map((_, i) => Math.floor(i / 80)));
  const { answer } = await runTasks(
    { merge: { merge_method: "dare_linear", parameters: { density: 0.5 } } },
    undefined,
    { "one-tune": sorted },
  );
  const codes = answer.warnings.map(({ code, task }) => `${code} ${task ?? ""}`);
  for (const code of ["dare-in-loop ", "sorted-by-class one", "few-rows two"]) {
    assert(codes.includes(code), `${codes}`);
  }
});

Deno.test("warnings of the start: drift, a head that guesses, noise", async () => {
  const codesOf = async (changes: Record<string, unknown>, shards = {}) => {
    const { answer } = await runTasks({ rounds: 1, ...changes }, undefined, shards);
    return answer.warnings.map(({ code, task }) => `${code} ${task ?? ""}`);
  };
  const tame = await codesOf({ local: { optimizer: { name: "sgd", learning_rate: 1e-4 } } });
  assert(!tame.includes("large-drift "), `${tame}`);
  const wild = await codesOf({ local: { optimizer: { name: "sgd", learning_rate: 3 } } });
  assert(wild.includes("large-drift "), `${wild}`);
  const noisy = await codesOf({
    privacy: { clip_norm: 1, noise_multiplier: 1 },
    stop: { backtrack: false },
  });
  assert(noisy.includes("privacy-noise "), `${noisy}`);
  // One label for most rows is guessed as well as the start knows it.
  const labels = numbers(24, 1).map((_, i) => i % 12 === 0 ? 1 : 2);
  const guessed = await codesOf({}, {
    "one-tune": rows(24, 1, labels),
    "one-select": rows(24, 4, labels),
  });
  assert(guessed.includes("near-chance one"), `${guessed}`);
});

Deno.test("the ledger holds every shard with its use", async () => {
  const { answer } = await runTasks({ rounds: 2, mode: "published" });
  const entry = (task: string, use: string) =>
    answer.ledger.find((each) => each.task === task && each.use === use)!;
  for (const task of ["one", "two"]) {
    assertEquals(entry(task, "tune").passes, 2);
    assertEquals(entry(task, "tune").rounds, [1, 2]);
    assertEquals(entry(task, "select").rows, 24);
    assertEquals(entry(task, "score").passes, 1);
    assert(entry(task, "tune").digest!.startsWith("sha256:"));
  }
  // The drift estimate takes the gradient of one batch at two points.
  assertEquals(entry("one", "statistics").passes, 2 * 8 / 24);
  assertEquals(answer.ledger.length, 8);
  assertEquals(answer.cost.examples, 2 * 2 * 24 + 2 * 2 * 8);
  assertEquals(answer.cost.steps, 2 * 2 * 3);
});

Deno.test("every reference row is there, and task arithmetic knows its λ", async () => {
  const { answer, events } = await runTasks({
    references: ["base", "experts", "mean", "task_arithmetic", "regmean", "joint"],
  });
  assertEquals(Object.keys(answer.references), [
    "base",
    "experts",
    "mean",
    "task_arithmetic",
    "regmean",
    "joint",
  ]);
  const row = (name: string) => {
    const found = answer.references[name]!;
    if ("gap" in found) throw new Error(found.gap);
    return found;
  };
  assertEquals(row("base").select, answer.start);
  assertEquals(row("experts").steps, row("joint").steps);
  assert(row("task_arithmetic").lambda! > 0);
  assertEquals(row("regmean").steps, row("experts").steps);
  assert(row("regmean").select["one"]!.loss !== row("mean").select["one"]!.loss);
  assertEquals(events.filter(({ event }) => event === "reference").length, 6);
  assertEquals(Object.keys(answer.test), ["one", "two"]);
});

Deno.test("one round's result is metadata and rounds; the average of rounds is beside it", async () => {
  const test = testApp();
  try {
    const { answer } = await runTasks(
      { rounds: 3, mode: "published", average_rounds: "swa" },
      undefined,
      {},
      test,
    );
    const averaged = await valuesOf(test.app, answer.averaged!.checkpoint.id);
    const rounds: Record<string, number[]>[] = [];
    for (const count of [1, 2, 3]) {
      rounds.push((await runTasks({ rounds: count, mode: "published" })).values);
    }
    for (const [name, values] of Object.entries(averaged)) {
      values.forEach((value, i) => {
        const mean = rounds.reduce((sum, each) => sum + each[name]![i]!, 0) / 3;
        assert(Math.abs(value - mean) < 1e-6);
      });
    }
    const tensors = await test.app.request(`/checkpoints/${answer.checkpoint.id}/tensors`);
    const { metadata } = await tensors.json();
    assertEquals(metadata["amalgam.rounds"], "3");
    assertStringIncludes(metadata["amalgam.shards"], "one-tune");
    const kept = await (await test.app.request("/checkpoints")).json();
    assertEquals(kept.checkpoints.length, 2);
  } finally {
    await test.close();
  }
});

Deno.test("a run that fails in a round is resumed after the last finished one, to the same bytes", async () => {
  const whole = await runTasks({ rounds: 3, mode: "published" });
  const test = testApp();
  try {
    const document = atmDocument({ rounds: 3, mode: "published" });
    const uploads = atmUploads(document);
    const controller = new AbortController();
    const form = new FormData();
    form.append("request", JSON.stringify(document));
    for (const [name, bytes] of uploads) form.append(name, new Blob([bytes]), name);
    const response = await test.app.request("/atm", {
      method: "POST",
      body: form,
      signal: controller.signal,
    });
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    while (!text.includes('"event":"round"')) text += (await reader.read()).value ?? "";
    controller.abort();
    for (;;) if ((await reader.read()).done) break;
    const run = JSON.parse(text.split("\n").find((line) => line.includes('"start"'))!).run;
    const resumed = await atmEvents(test.app, { ...document, resume: run }, uploads);
    const last = resumed.at(-1)!;
    assertEquals(last["event"], "result", JSON.stringify(last));
    const start = resumed.find(({ event }) => event === "start")!;
    assert(Number(start["from"]) >= 2);
    const told = resumed.filter(({ event }) => event === "round").map(({ round }) => round);
    const known = (start["history"] as { round: number }[]).map(({ round }) => round);
    assertEquals([...known, ...told], [1, 2, 3]);
    const { id } = last["checkpoint"] as { id: string };
    assertEquals(id, whole.answer.checkpoint.id);
    const gone = (await atmEvents(test.app, { ...document, resume: run }, uploads)).at(-1)!;
    assertEquals(gone["type"], "/problems/not-found");
  } finally {
    await test.close();
  }
});

Deno.test("kept rounds stay in the store: those of a shorter run, and the start", async () => {
  const test = testApp();
  try {
    const local = { epochs: 20, optimizer: { name: "sgd", learning_rate: 5 } };
    const changes = { local, rounds: 5, stop: { patience: 5 }, keep_rounds: true };
    const { events, answer } = await runTasks(changes, undefined, {}, test);
    const start = events.find(({ event }) => event === "start")!;
    assertEquals(start["select"], answer.start);
    const { id: first } = start["checkpoint"] as { id: string };
    assertEquals(farthest(await valuesOf(test.app, first), START), 0);
    assert(answer.rounds.some(({ accepted }) => !accepted));
    for (const { round, accepted, checkpoint } of answer.rounds) {
      assertEquals(checkpoint !== undefined, accepted);
      if (!checkpoint) continue;
      // A run that ends with this round answers its weights.
      const { values } = await runTasks({ ...changes, rounds: round, keep_rounds: false });
      assertEquals(farthest(await valuesOf(test.app, checkpoint.id), values), 0);
    }
    const told = events.filter(({ event }) => event === "round");
    assertEquals(told.map(({ event: _, ...report }) => report), [...answer.rounds] as unknown[]);
  } finally {
    await test.close();
  }
});

Deno.test("what is wrong with a document is told at once, with its place", async () => {
  const { app, close } = testApp();
  try {
    const cases: readonly [Record<string, unknown>, string][] = [
      [{ rounds: 0 }, "rounds"],
      [{ alpha: 5 }, "alpha"],
      [{ merge: { merge_method: "krum" } }, "krum"],
      [{ merge: { models: [] } }, "merge.models"],
      [{ outer: { name: "sgd", nesterov: true } }, "outer.nesterov"],
      [{ outer: { name: "rmsprop" } }, "outer"],
      [{ privacy: { clip_norm: 1, noise_multiplier: 1 }, weights: "examples" }, "weights"],
      [{ stop: { patience: 0 } }, "stop.patience"],
      [{ references: ["best"] }, "references"],
      [{ average_rounds: { ema: 2 } }, "average_rounds"],
      [{ clip: { norm: -1 } }, "clip"],
    ];
    for (const [changes, place] of cases) {
      const document = atmDocument(changes);
      const response = await postDocument(app, "/atm", document, atmUploads(document));
      const problem = await response.json();
      assertEquals([response.status, problem.type], [422, "/problems/invalid-recipe"]);
      assertStringIncludes(JSON.stringify(problem.errors), place);
    }
  } finally {
    await close();
  }
});
