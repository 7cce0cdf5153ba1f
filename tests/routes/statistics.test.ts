import { assert, assertEquals } from "@std/assert";
import { checkpointBytes } from "../support/merging.ts";
import { mergedBytes, postRecipe, problemOf } from "../support/merge_requests.ts";
import { testApp } from "../support/service.ts";
import { numbers, rows, safetensorsOf, smallModel, weights } from "../support/small_model.ts";
import { doublesOf, statisticsRequest } from "../support/statistics.ts";
import { checkpointOf, postDocument, type Upload } from "../support/tuning.ts";

type Service = ReturnType<typeof testApp>;

/** Two experts of the small network, with rows of their own. */
const EXPERTS = {
  a: { start: safetensorsOf(weights(1)), rows: rows(20, 5) },
  b: { start: safetensorsOf(weights(2)), rows: rows(30, 6) },
};

function uploadsOf({ start, rows }: typeof EXPERTS.a): Upload[] {
  return [["net", smallModel()], ["start", start], ["rows", rows]];
}

async function withService(work: (service: Service) => Promise<void>) {
  const service = testApp();
  try {
    await work(service);
    assertEquals(service.faults, []);
  } finally {
    await service.close();
  }
}

/** Stores the statistics of both experts. */
async function storedStatistics({ app }: Service, kind: "gram" | "fisher") {
  const ids: Record<string, { checkpoint: string }> = {};
  for (const [name, expert] of Object.entries(EXPERTS)) {
    const response = await postDocument(
      app,
      "/statistics",
      statisticsRequest(kind),
      uploadsOf(expert),
    );
    assertEquals(response.status, 200);
    ids[`s${name}`] = { checkpoint: (await response.json()).statistics.id };
  }
  return ids;
}

const MODELS = [{ model: "a", statistics: "sa" }, { model: "b", statistics: "sb" }];
const UPLOADS = { a: EXPERTS.a.start, b: EXPERTS.b.start };

Deno.test("Fisher values are gathered, stored, listed and merged by", async () => {
  await withService(async (service) => {
    const { app } = service;
    const sources = await storedStatistics(service, "fisher");
    const recipe = { merge_method: "fisher", models: MODELS, sources, parameters: { eps: 1e-3 } };
    const merged = await checkpointOf(
      await mergedBytes(await postRecipe(app, "/merge", recipe, UPLOADS)),
    );
    const open = async (id: string) =>
      await checkpointOf(
        new Uint8Array(await (await app.request(`/checkpoints/${id}`)).arrayBuffer()),
      );
    const fishers = [await open(sources.sa!.checkpoint), await open(sources.sb!.checkpoint)];
    const experts = [await checkpointOf(UPLOADS.a), await checkpointOf(UPLOADS.b)];
    const names = [...experts[0]!.tensors.keys()];
    const all = await Promise.all(
      fishers.map(async (file) =>
        (await Promise.all(names.map(async (name) => [...await doublesOf(file, name)]))).flat()
      ),
    );
    const norms = all.map((values) => Math.sqrt(values.reduce((sum, v) => sum + v * v, 0)));
    const means = all.map((values, i) => values.reduce((sum, v) => sum + v, 0) / norms[i]!);
    const floor = 1e-3 * (means[0]! + means[1]!) / (2 * all[0]!.length);
    for (const name of names) {
      const y = await doublesOf(merged, name);
      const [x, z] = [await doublesOf(experts[0]!, name), await doublesOf(experts[1]!, name)];
      const [f, g] = [await doublesOf(fishers[0]!, name), await doublesOf(fishers[1]!, name)];
      y.forEach((value, i) => {
        const [p, q] = [f[i]! / norms[0]! + floor, g[i]! / norms[1]! + floor];
        const expected = (p * x[i]! + q * z[i]!) / (p + q);
        assert(Math.abs(value - expected) < 1e-6, `${name}[${i}]: ${value} for ${expected}`);
      });
    }
    const { checkpoints } = await (await app.request("/checkpoints")).json();
    const stored = checkpoints.filter((entry: { kind: string }) => entry.kind === "statistics");
    assertEquals(stored.length, 2);
    const tensors = await app.request(`/checkpoints/${sources.sa!.checkpoint}/tensors`);
    const { kind, metadata } = await tensors.json();
    assertEquals(kind, "statistics");
    const { graph, shards, start } = JSON.parse(metadata["amalgam.statistics"]);
    assertEquals(shards.length, 1);
    for (const digest of [graph, start, shards[0].digest]) assert(/^sha256:/.test(digest));
    const plan = await (await postRecipe(app, "/plan", recipe, UPLOADS)).json();
    assertEquals(plan.passes, 2);
  });
});

Deno.test("the ledger tells of the rows, and progress comes as events", async () => {
  await withService(async ({ app }) => {
    const response = await postDocument(
      app,
      "/statistics",
      statisticsRequest("gram", { rows: 12 }),
      uploadsOf(EXPERTS.a),
      { accept: "application/x-ndjson" },
    );
    const events = (await response.text()).trim().split("\n").map((line) => JSON.parse(line));
    const result = events.at(-1);
    assertEquals(events[0], { event: "rows", task: "task", done: 12, rows: 12 });
    assertEquals([result.event, result.rows, result.kind], ["result", 12, "gram"]);
    const [{ digest, ...entry }] = result.ledger;
    assert(/^sha256:[0-9a-f]{64}$/.test(digest));
    assertEquals(entry, {
      shard: "rows",
      rows: 12,
      use: "statistics",
      task: "task",
      holder: "this service",
      passes: 1,
      rounds: [],
    });
    assertEquals(result.tensors.map(({ name }: { name: string }) => name), [
      "a.weight",
      "b.weight",
    ]);
    assertEquals(result.without, ["a.bias", "b.bias"]);
  });
});

Deno.test("statistics stand for no weights, and weights for no statistics", async () => {
  await withService(async (service) => {
    const { app } = service;
    const sources = await storedStatistics(service, "fisher");
    const asModel = await problemOf(
      await postRecipe(app, "/merge", {
        merge_method: "linear",
        models: [{ model: "a" }, { model: "sa" }],
        sources,
      }, { a: UPLOADS.a }),
    );
    assertEquals([asModel.kind, asModel.errors?.[0]?.path], ["invalid-recipe", "models[1].model"]);
    assert(asModel.detail.includes("Cannot merge statistics"), asModel.detail);

    const asStart = await problemOf(
      await postDocument(app, "/evaluate", {
        model: "net",
        checkpoints: ["sa"],
        tasks: [{ name: "t", shard: "rows", target: "y", loss: "cross_entropy" }],
        sources: { sa: sources.sa },
      }, [["net", smallModel()], ["rows", EXPERTS.a.rows]]),
    );
    assertEquals(asStart.kind, "mismatch");
    assert(asStart.detail.endsWith("current value is statistics"), asStart.detail);

    const stated = checkpointBytes({ w: [1] }, { kind: "weights" });
    const given = await problemOf(
      await postRecipe(app, "/merge", { merge_method: "fisher", models: MODELS }, {
        ...UPLOADS,
        sa: stated,
        sb: stated,
      }),
    );
    assertEquals(given.errors?.[0]?.path, "models[0].statistics");
    assert(given.detail.includes("as it holds weights"), given.detail);
  });
});

/** Recipes of two models that cannot be merged by statistics. */
const WRONG: readonly (readonly [
  name: string,
  recipe: Record<string, unknown>,
  statistics: Parameters<typeof checkpointBytes>,
  kind: string,
  message: string,
])[] = [
  [
    "a method that takes none",
    { merge_method: "linear" },
    [{ w: [1, 2] }],
    "invalid-recipe",
    "Cannot use statistics as linear takes none, only fisher",
  ],
  [
    "missing ones",
    { merge_method: "fisher", models: [{ model: "a" }, { model: "b" }] },
    [{}],
    "invalid-recipe",
    "Cannot merge as fisher needs the statistics of every model, POST /statistics with kind fisher " +
    'makes them: current value of "a" is undefined',
  ],
  [
    "statistics of another kind",
    { merge_method: "fisher" },
    [{ w: [1, 2] }, {
      kind: "statistics",
      "amalgam.statistics": '{"kind":"gram","rows":3,"layers":{}}',
    }],
    "invalid-recipe",
    'Cannot use the statistics as fisher needs those of kind fisher: current value of "sa" is gram',
  ],
  [
    "another shape",
    { merge_method: "fisher" },
    [{ w: [1, 2, 3] }],
    "mismatch",
    'Cannot merge tensor "w" as its shapes or kinds of type differ: current value is a F32 [2], sa F32 [3]',
  ],
  [
    "an unknown tensor",
    { merge_method: "fisher" },
    [{ w: [1, 2], "layer.biaz": [1] }],
    "mismatch",
    'Cannot merge tensor "layer.biaz" as it is missing (nearest: "layer.bias" in a) in: a',
  ],
  [
    "no weight",
    { merge_method: "fisher", parameters: { weight: 0 } },
    [{ w: [1, 2] }],
    "invalid-recipe",
    "Cannot average the models as every weight is 0",
  ],
  [
    "a negative weight",
    { merge_method: "fisher", parameters: { weight: -1 } },
    [{ w: [1, 2] }],
    "invalid-recipe",
    "weight",
  ],
];

for (const [name, recipe, statistics, kind, message] of WRONG) {
  Deno.test(`merging by statistics refuses ${name}`, async () => {
    await withService(async ({ app }) => {
      const model = checkpointBytes({ w: [1, 2], "layer.bias": [3] });
      const held = checkpointBytes(...statistics);
      const names = "models" in recipe ? {} : { sa: held, sb: held };
      const problem = await problemOf(
        await postRecipe(app, "/plan", { models: MODELS, ...recipe }, {
          a: model,
          b: model,
          ...names,
        }),
      );
      assertEquals(problem.kind, kind, problem.detail);
      assert(problem.detail.includes(message), problem.detail);
    });
  });
}

Deno.test("a tensor that only some of the models have statistics of is refused by name", async () => {
  await withService(async ({ app }) => {
    const model = checkpointBytes({ w: [1, 2], v: [3] });
    const problem = await problemOf(
      await postRecipe(app, "/plan", { merge_method: "fisher", models: MODELS }, {
        a: model,
        b: model,
        sa: checkpointBytes({ w: [1, 2], v: [1] }),
        sb: checkpointBytes({ w: [1, 2] }),
      }),
    );
    assertEquals([problem.kind, problem.detail], [
      "mismatch",
      'Cannot merge tensor "v" as it is missing in: sb',
    ]);
  });
});

const REFUSED: readonly (readonly [string, Record<string, unknown>, string, string])[] = [
  [
    "the Fisher information of a regression",
    statisticsRequest("fisher", { task: { loss: "mse" } }),
    "invalid-recipe",
    'Cannot use loss as it must be "cross_entropy", as the Fisher information is taken of class ' +
    'probabilities: current value is "mse"',
  ],
  [
    "a task without a loss",
    statisticsRequest("fisher", { task: { loss: undefined } }),
    "invalid-recipe",
    'must be "cross_entropy"',
  ],
  [
    "an option of the other kind",
    statisticsRequest("gram", { outcomes: "all" }),
    "invalid-recipe",
    'Cannot use outcomes as only the kind "fisher" takes it: current value is "all"',
  ],
  [
    "no rows",
    statisticsRequest("gram", { rows: 0 }),
    "invalid-recipe",
    "an integer from 1 to 2^31",
  ],
  [
    "a participant",
    statisticsRequest("gram", {
      task: { participant: { url: "https://example.org", shard: "x" } },
    }),
    "invalid-recipe",
    "ask that service for its statistics",
  ],
  [
    "a glob that matches nothing",
    statisticsRequest("gram", { tensors: { include: ["a.wieght"] } }),
    "invalid-recipe",
    'did you mean "a.weight": current value is "a.wieght"',
  ],
  [
    "tensors that are no layers",
    statisticsRequest("gram", { tensors: { include: ["*.bias"] } }),
    "mismatch",
    "no selected tensor is the weight of a MatMul, Gemm or Conv node",
  ],
  [
    "an unknown key",
    statisticsRequest("gram", { task: { lable: "y" } }),
    "invalid-recipe",
    "tasks[0].lable",
  ],
  [
    "an unknown kind",
    { ...statisticsRequest("gram"), kind: "hessian" },
    "invalid-recipe",
    'it must be "gram" or "fisher": current value is "hessian"',
  ],
];

for (const [name, document, kind, message] of REFUSED) {
  Deno.test(`POST /statistics refuses ${name}`, async () => {
    await withService(async ({ app }) => {
      const response = await postDocument(app, "/statistics", document, uploadsOf(EXPERTS.a));
      const problem = await problemOf(response);
      assertEquals(problem.kind, kind, problem.detail);
      assert(
        JSON.stringify(problem.detail + problem.errors?.[0]?.path).includes(
          JSON.stringify(message).slice(1, -1),
        ),
        problem.detail,
      );
    });
  });
}

Deno.test("rows that are not finite are refused by name", async () => {
  await withService(async ({ app }) => {
    const x = numbers(80, 5);
    x[13] = NaN;
    const bad = checkpointBytes({ x: { shape: [20, 4], values: x } });
    const uploads = uploadsOf({ ...EXPERTS.a, rows: bad });
    const problem = await problemOf(
      await postDocument(app, "/statistics", statisticsRequest("gram"), uploads),
    );
    assertEquals([problem.kind, problem.tensor, problem.row], ["non-finite", "x", 3]);
  });
});

Deno.test("the plan says what a layer and its matrices take in memory", async () => {
  await withService(async ({ app }) => {
    const peak = async (inputs: number) => {
      const model = checkpointBytes({ w: { shape: [8, inputs], values: numbers(8 * inputs, 1) } });
      const values = Array.from({ length: inputs ** 2 }, (_, i) => Number(i % (inputs + 1) === 0));
      const held = checkpointBytes({ w: { shape: [inputs, inputs], values } });
      const response = await postRecipe(app, "/plan", { merge_method: "regmean", models: MODELS }, {
        a: model,
        b: model,
        sa: held,
        sb: held,
      });
      const { passes, peak_memory, tensors } = await response.json();
      assertEquals([passes, tensors[0].action], [1, "merge"]);
      return peak_memory;
    };
    // Two matrices, their sum, and one as it is read, in double precision.
    const [small, large] = [await peak(500), await peak(1000)];
    assert(large > 4 * 8e6 && large < 4.5 * 8e6, String(large));
    assert(small < large / 3, String(small));
  });
});
