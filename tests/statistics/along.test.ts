import { assert, assertEquals } from "@std/assert";
import { mergedBytes, postRecipe, problemOf } from "../support/merge_requests.ts";
import { testApp } from "../support/service.ts";
import { doublesOf, fixture } from "../support/statistics.ts";
import { checkpointOf, postDocument, type Upload } from "../support/tuning.ts";

type Merged = Record<string, Record<string, number[]>>;
const expected: Record<string, Merged> = JSON.parse(
  await Deno.readTextFile("fixtures/statistics/regmean.json"),
);

const MODELS = [
  { model: "a", statistics: "rows a", parameters: { weight: 1 } },
  { model: "b", statistics: "rows b", parameters: { weight: 0.5 } },
];
const TASKS = [{ name: "rows a", shard: "xa" }, { name: "rows b", shard: "xb" }];

async function filesOf(name: string) {
  return {
    net: await fixture(`${name}.onnx`),
    a: await fixture(`${name}.safetensors`),
    b: await fixture(`${name}_other.safetensors`),
    xa: await fixture(`${name}_rows.safetensors`),
    xb: await fixture(`${name}_other_rows.safetensors`),
  };
}

async function withService(work: (service: ReturnType<typeof testApp>) => Promise<void>) {
  const service = testApp();
  try {
    await work(service);
    assertEquals(service.faults, []);
  } finally {
    await service.close();
  }
}

for (const name of ["mlp", "block", "cnn"]) {
  Deno.test(`regmean of the ${name} is numpy's, from matrices of the service's own`, async () => {
    await withService(async ({ app }) => {
      const { net, a, b, xa, xb } = await filesOf(name);
      const sources: Record<string, unknown> = {};
      for (const [task, start, rows] of [["rows a", a, xa], ["rows b", b, xb]] as const) {
        const response = await postDocument(
          app,
          "/statistics",
          {
            model: "net",
            start: "start",
            exported_with: "exported",
            kind: "gram",
            tasks: [{ name: task, shard: "rows" }],
          },
          [["net", net], ["start", start], ["exported", a], ["rows", rows]],
        );
        sources[task] = { checkpoint: (await response.json()).statistics.id };
      }
      const recipe = { merge_method: "regmean", models: MODELS, sources };
      await assertMerged(app, recipe, { a, b }, expected[name]!.plain!);
    });
  });

  Deno.test(`regmean_plus_plus of the ${name} is numpy's, layer by layer`, async () => {
    await withService(async ({ app }) => {
      const { net, a, b, xa, xb } = await filesOf(name);
      const uploads: Upload[] = Object.entries({ net, a, b, xa, xb });
      const merge = { merge_method: "regmean_plus_plus", models: MODELS };
      const document = { model: "net", exported_with: "a", kind: "gram", tasks: TASKS, merge };
      const response = await postDocument(app, "/statistics", document, uploads);
      const { statistics, kind, tensors, rows, ledger, detail } = await response.json();
      assertEquals(response.status, 200, detail);
      assertEquals([kind, rows, Object.keys(statistics)], ["gram_along", 80, ["rows a", "rows b"]]);
      assertEquals(ledger.map(({ passes }: { passes: number }) => passes), [
        tensors.length,
        tensors.length,
      ]);
      const sources = Object.fromEntries(
        TASKS.map(({ name }) => [name, { checkpoint: statistics[name].id }]),
      );
      await assertMerged(app, { ...merge, sources }, { a, b }, expected[name]!.along!);
      const stronger = { ...merge, parameters: { ridge: 1e-3 }, sources };
      const other = await problemOf(await postRecipe(app, "/plan", stronger, { a, b }));
      assertEquals(other.errors?.[0]?.path, "models[0].statistics");
      assert(other.detail.includes("taken along a merge with other parameters"), other.detail);
      const plain = await problemOf(
        await postRecipe(app, "/plan", { ...merge, merge_method: "regmean", sources }, { a, b }),
      );
      assert(
        plain.detail.includes('needs those of kind gram: current value of "rows a" is gram_along'),
      );
    });
  });
}

async function assertMerged(
  app: ReturnType<typeof testApp>["app"],
  recipe: Record<string, unknown>,
  uploads: Record<string, Uint8Array<ArrayBuffer>>,
  expected: Record<string, number[]>,
) {
  const merged = await checkpointOf(
    await mergedBytes(await postRecipe(app, "/merge", recipe, uploads)),
  );
  assertEquals([...merged.tensors.keys()].sort(), Object.keys(expected).sort());
  for (const [name, values] of Object.entries(expected)) {
    const scale = Math.max(...values.map(Math.abs));
    (await doublesOf(merged, name)).forEach((value, i) => {
      // Products of a batch are float32, and the solution amplifies what they round off.
      assert(Math.abs(value - values[i]!) < 2e-4 * scale, `${name}[${i}]: ${value}, ${values[i]}`);
    });
  }
}

Deno.test("along a merge the first layer's matrices are those of the models alone", async () => {
  await withService(async ({ app }) => {
    const { net, a, b, xa, xb } = await filesOf("mlp");
    const open = async (id: string) =>
      await checkpointOf(
        new Uint8Array(await (await app.request(`/checkpoints/${id}`)).arrayBuffer()),
      );
    const alone = await postDocument(app, "/statistics", {
      model: "net",
      start: "a",
      kind: "gram",
      tasks: [TASKS[0]],
    }, [["net", net], ["a", a], ["xa", xa]]);
    const along = await postDocument(app, "/statistics", {
      model: "net",
      kind: "gram",
      tasks: TASKS,
      merge: { merge_method: "regmean_plus_plus", models: MODELS },
    }, Object.entries({ net, a, b, xa, xb }));
    const plain = await open((await alone.json()).statistics.id);
    const merging = await open((await along.json()).statistics["rows a"].id);
    assertEquals(await doublesOf(merging, "first.weight"), await doublesOf(plain, "first.weight"));
    const [second, other] = [
      await doublesOf(merging, "second.weight"),
      await doublesOf(plain, "second.weight"),
    ];
    assert(second.some((value, i) => Math.abs(value - other[i]!) > 1e-3));
  });
});

const WRONG: readonly (readonly [string, Record<string, unknown>, string, string])[] = [
  [
    "another method",
    { merge: { merge_method: "regmean", models: MODELS } },
    "merge.merge_method",
    'must be "regmean_plus_plus"',
  ],
  [
    "a task that is not there",
    {
      merge: {
        merge_method: "regmean_plus_plus",
        models: [{ model: "a", statistics: "rows a" }, { model: "b", statistics: "rows c" }],
      },
    },
    "merge.models[1].statistics",
    'as there is no task of this name, did you mean "rows a": current value is "rows c"',
  ],
  [
    "a start beside it",
    { start: "a", merge: { merge_method: "regmean_plus_plus", models: MODELS } },
    "start",
    "Cannot use start as the models of merge say where to start",
  ],
  [
    "a fault of the recipe",
    { merge: { merge_method: "regmean_plus_plus", models: MODELS, parameters: { alpha: 2 } } },
    "merge.parameters.alpha",
    "alpha",
  ],
];

for (const [name, changes, path, message] of WRONG) {
  Deno.test(`along a merge POST /statistics refuses ${name}`, async () => {
    await withService(async ({ app }) => {
      const document = { model: "net", kind: "gram", tasks: TASKS, ...changes };
      const problem = await problemOf(
        await postDocument(app, "/statistics", document, Object.entries(await filesOf("mlp"))),
      );
      assertEquals([problem.kind, problem.errors?.[0]?.path], ["invalid-recipe", path]);
      assert(problem.detail.includes(message), problem.detail);
    });
  });
}
