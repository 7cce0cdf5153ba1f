import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  adapterFixture,
  expectedNumbers,
  furthest,
  type Numbers,
  peftAdapter,
} from "../support/adapters.ts";
import { type FileRoute, startFileServer } from "../support/file_server.ts";
import { checkpointBytes } from "../support/merging.ts";
import {
  type Files,
  floatsOf,
  mergedBytes,
  postRecipe,
  problemOf,
  type TestApp,
  unzipped,
} from "../support/merge_requests.ts";
import { testApp, type TestAppOptions } from "../support/service.ts";
import { inFolder } from "../support/temporary_folder.ts";

const expected = expectedNumbers();
const CLOSE = 4e-7;
const BASE = adapterFixture("base.safetensors");
const utf8 = (text: string) => new TextEncoder().encode(text);
/** The upload parts of an adapter. */
const parts = (name: string, fixture: string): Files => {
  const { model, config } = peftAdapter(fixture);
  return { [name]: model, [`${name}.config`]: utf8(config) };
};
const applied = (...models: unknown[]) => ({
  merge_method: "task_arithmetic",
  base_model: "base",
  models: models.map((model) => typeof model === "string" ? { model } : model),
});

async function withApp(run: (app: TestApp) => Promise<void>, options: TestAppOptions = {}) {
  const { app, close, faults } = testApp(options);
  try {
    await run(app);
    assertEquals(faults, []);
  } finally {
    await close();
  }
}

async function assertMerged(response: Response, numbers: Numbers): Promise<void> {
  assert(furthest(await floatsOf(await mergedBytes(response)), numbers) < CLOSE);
}

function post(app: TestApp, path: string, body: unknown, headers: Record<string, string> = {}) {
  const isBytes = body instanceof Uint8Array;
  return app.request(path, {
    method: "POST",
    body: isBytes ? body as Uint8Array<ArrayBuffer> : JSON.stringify(body),
    headers: isBytes ? headers : { "content-type": "application/json", ...headers },
  });
}

/** Stores an adapter with its configuration in the header. */
function store(app: TestApp, fixture: string, config = peftAdapter(fixture).config) {
  const text = JSON.stringify(JSON.parse(config));
  return post(app, "/checkpoints", peftAdapter(fixture).model, { "adapter-config": text });
}

Deno.test("an uploaded adapter is merged into its base as peft does, config before or after it", async () => {
  await withApp(async (app) => {
    const files = { base: BASE, ...parts("a", "first") };
    await assertMerged(
      await postRecipe(app, "/merge", applied("a"), files),
      expected.merged.first!,
    );
    const turned = Object.fromEntries(Object.entries(files).reverse());
    await assertMerged(
      await postRecipe(app, "/merge", applied("a"), turned),
      expected.merged.first!,
    );
    const both = [
      { model: "a", parameters: { weight: 0.5 } },
      { model: "b", parameters: { weight: -1.5 } },
    ];
    await assertMerged(
      await postRecipe(app, "/merge", applied(...both), { ...files, ...parts("b", "second") }),
      expected.both,
    );
  });
});

Deno.test("the plan tells modules and what is copied, and reads no tensor", async () => {
  await withApp(async (app) => {
    const files = { base: BASE, ...parts("a", "first") };
    const plan = await (await postRecipe(app, "/plan", applied("a"), files)).json();
    const actions = Object.fromEntries(
      plan.tensors.map((
        { name, action, reason }: Record<string, string>,
      ) => [name, [action, reason]]),
    );
    assertEquals(actions["blocks.0.norm.weight"], ["copy", "no-module"]);
    assertEquals(actions["blocks.0.q.weight"]![0], "merge");
    const pair = { ...parts("a", "third"), ...parts("b", "fourth") };
    const cat = { merge_method: "lora_cat", models: [{ model: "a" }, { model: "b" }] };
    const planned = await (await postRecipe(app, "/plan", cat, pair)).json();
    const merged = await mergedBytes(await postRecipe(app, "/merge", cat, pair));
    assertEquals([planned.kind, planned.bytes_out], ["adapter", merged.length]);
    assertEquals(planned.tensors.length, 8);
    const svd = { ...cat, merge_method: "lora_svd", parameters: { energy: 0.5 } };
    const { warnings } = await (await postRecipe(app, "/plan", svd, pair)).json();
    assertEquals(warnings, ["Ranks follow from the energy: shapes and bytes_out are upper bounds"]);
  });
});

Deno.test("a stored adapter keeps the configuration that it came with", async () => {
  await withApp(async (app) => {
    const response = await store(app, "first");
    const { id, kind, adapter_config } = await response.json();
    assertEquals([response.status, kind], [201, "adapter"]);
    assertEquals(JSON.parse(adapter_config).lora_alpha, 6);
    assertEquals((await store(app, "first")).status, 200);
    const merged = await postRecipe(app, "/merge", applied(id), { base: BASE });
    await assertMerged(merged, expected.merged.first!);
    // A part with the request comes first.
    const double = JSON.stringify({
      ...JSON.parse(adapter_config),
      lora_alpha: 12,
      alpha_pattern: {},
    });
    const recipe = {
      ...applied("a"),
      base_model: undefined,
      sources: { a: { checkpoint: id } },
    };
    const other = await postRecipe(app, "/merge", recipe, { "a.config": utf8(double) });
    const embed = (await floatsOf(await mergedBytes(other)))["embed.weight"]!;
    const once = expected.deltas.first!["embed.weight"]!;
    assert(furthest({ embed }, { embed: once.map((value) => 2 * value) }) < CLOSE);
    // An id stands for one adapter.
    const conflict = await problemOf(await store(app, "first", double));
    assertEquals([conflict.kind, conflict.checkpoint], ["conflict", id]);
  });
});

Deno.test("an adapter that was stored without configuration gets it later, or with each request", async () => {
  await withApp(async (app) => {
    const { id, kind } = await (await post(app, "/checkpoints", peftAdapter("first").model)).json();
    assertEquals(kind, "adapter");
    const problem = await problemOf(await postRecipe(app, "/merge", applied(id), { base: BASE }));
    assertEquals(problem.kind, "invalid-checkpoint");
    assertStringIncludes(problem.detail, "adapter_config.json");
    assertEquals((await store(app, "first")).status, 200);
    const merged = await postRecipe(app, "/merge", applied(id), { base: BASE });
    await assertMerged(merged, expected.merged.first!);
  });
});

Deno.test("a configuration that does not fit is not stored", async () => {
  await withApp(async (app) => {
    for (
      const [fixture, config, kind] of [
        ["first", peftAdapter("second").config, "invalid-checkpoint"],
        ["dora", peftAdapter("dora").config, "unsupported-format"],
        ["first", "[]", "invalid-checkpoint"],
      ] as const
    ) {
      assertEquals((await problemOf(await store(app, fixture, config))).kind, kind);
    }
    assertEquals((await (await app.request("/checkpoints")).json()).checkpoints, []);
  });
});

/** Files of an adapter below a folder, as a server has them. */
function serving(folder: string, fixture: string, withConfig = true): FileRoute {
  const { model, config } = peftAdapter(fixture);
  return (path) => {
    if (path === `${folder}/adapter_model.safetensors`) return model;
    if (withConfig && path === `${folder}/adapter_config.json`) return utf8(config);
    return undefined;
  };
}

Deno.test("a URL, a hub and the operator's folder: the configuration lies beside", async () => {
  const server = startFileServer((path, request) =>
    serving("/x", "first")(path, request) ??
      serving("/org/lora/resolve/main", "first")(path, request)
  );
  try {
    await inFolder(async (files) => {
      const { model, config } = peftAdapter("first");
      await Deno.mkdir(`${files}/sub`);
      await Deno.writeFile(`${files}/sub/a.safetensors`, model);
      await Deno.writeTextFile(`${files}/sub/adapter_config.json`, config);
      await withApp(async (app) => {
        for (
          const a of [
            { url: `${server.url}/x/adapter_model.safetensors` },
            { hub: "org/lora" },
            { path: "sub/a.safetensors" },
          ]
        ) {
          const recipe = { ...applied("a"), sources: { a } };
          const merged = await postRecipe(app, "/merge", recipe, { base: BASE });
          await assertMerged(merged, expected.merged.first!);
        }
      }, { sourceHosts: [server.host], hub: { url: server.url, headers: {} }, files });
    });
  } finally {
    await server.close();
  }
});

Deno.test("without a configuration beside it the part is asked for, and taken", async () => {
  const server = startFileServer(serving("/x", "first", false));
  try {
    await withApp(async (app) => {
      const sources = { a: { url: `${server.url}/x/adapter_model.safetensors` } };
      const recipe = { ...applied("a"), sources };
      const problem = await problemOf(await postRecipe(app, "/merge", recipe, { base: BASE }));
      assertEquals([problem.kind, problem.source, problem.part], [
        "invalid-checkpoint",
        "a",
        "a.config",
      ]);
      const config = utf8(peftAdapter("first").config);
      const merged = await postRecipe(app, "/merge", recipe, { base: BASE, "a.config": config });
      await assertMerged(merged, expected.merged.first!);
    }, { sourceHosts: [server.host] });
  } finally {
    await server.close();
  }
});

Deno.test("configurations of what is no adapter, or of no source, are refused", async () => {
  await withApp(async (app) => {
    const config = utf8(peftAdapter("first").config);
    const weights = { base: BASE, a: BASE, "a.config": config };
    const problem = await problemOf(await postRecipe(app, "/plan", applied("a"), weights));
    assertEquals([problem.kind, problem.errors?.[0]?.path], ["invalid-recipe", "a.config"]);
    const stray = { base: BASE, a: BASE, "z.config": config };
    assertEquals((await postRecipe(app, "/plan", applied("a"), stray)).status, 400);
  });
});

const PAIR = [
  { model: "a", parameters: { weight: 0.75 } },
  { model: "b", parameters: { weight: -0.5 } },
];
const pair = { ...parts("a", "third"), ...parts("b", "fourth") };

Deno.test("adapters with each other: one file that explains itself, or the two files of peft", async () => {
  await withApp(async (app) => {
    const recipe = { merge_method: "lora_svd", models: PAIR, parameters: { rank: 3 } };
    const response = await postRecipe(app, "/merge", recipe, pair);
    const report = /<([^>]+)>/.exec(response.headers.get("link")!)![1]!;
    const bytes = await mergedBytes(response);
    // Applied from the store, without any configuration besides the file.
    const { id } = await (await post(app, "/checkpoints", bytes)).json();
    const dense = await post(app, "/merge", {
      merge_method: "task_arithmetic",
      models: [{ model: id }],
    });
    await assertMerged(dense, expected.svd3);
    const told = await (await app.request(report)).json();
    assertEquals(told.tensors.length, 8);
    assertEquals(told.tensors[0].statistics.rank, 3);
    assert(Math.abs(Number(told.metadata["amalgam.error"]) - 0.2295736) < 1e-6);

    const archive = await postRecipe(
      app,
      "/merge",
      { ...recipe, output: { format: "peft" }, name: "both" },
      pair,
    );
    assertEquals(archive.headers.get("content-type"), "application/zip");
    assertStringIncludes(archive.headers.get("content-disposition")!, '"both.zip"');
    const files = await unzipped(await mergedBytes(archive));
    assertEquals(Object.keys(files), ["adapter_config.json", "adapter_model.safetensors"]);
    const again = await postRecipe(app, "/merge", {
      merge_method: "task_arithmetic",
      models: [{ model: "x" }],
    }, {
      "x": files["adapter_model.safetensors"]!,
      "x.config": files["adapter_config.json"]!,
    });
    await assertMerged(again, expected.svd3);
    const wrong = await postRecipe(
      app,
      "/plan",
      { ...applied("a"), output: { format: "peft" } },
      { base: BASE, ...parts("a", "first") },
    );
    assertEquals((await problemOf(wrong)).errors?.[0]?.path, "output.format");
  });
});

Deno.test("adapters under methods on weights are refused with what to use instead", async () => {
  await withApp(async (app) => {
    const recipe = { merge_method: "linear", models: PAIR };
    const problem = await problemOf(await postRecipe(app, "/merge", recipe, pair));
    assertEquals(problem.kind, "invalid-recipe");
    assertEquals(problem.errors?.map(({ path }) => path), ["models[0].model", "models[1].model"]);
    assertStringIncludes(problem.detail, "lora_cat and lora_svd");
  });
});

Deno.test("what an adapter names must stand in the base: the nearest names are told", async () => {
  await withApp(async (app) => {
    const base = checkpointBytes({ "blocks.0.qq.weight": { values: [1], shape: [1, 1] } });
    const files = { base, ...parts("a", "second") };
    const problem = await problemOf(await postRecipe(app, "/plan", applied("a"), files));
    assertEquals([problem.kind, problem.source], ["mismatch", "a"]);
    assertStringIncludes(problem.detail, 'nearest: "blocks.0.qq.weight"');
  });
});

Deno.test("bytes over HTTP do not depend on chunks and workers", async () => {
  const bytes: Uint8Array[] = [];
  for (const options of [{}, { chunkElements: 65536 }, { workers: 2 }]) {
    await withApp(async (app) => {
      const files = { base: BASE, ...parts("a", "first"), ...parts("b", "second") };
      const recipe = { ...applied("a", "b"), merge_method: "ties", parameters: { density: 0.3 } };
      bytes.push(await mergedBytes(await postRecipe(app, "/merge", recipe, files)));
    }, options);
  }
  assertEquals(bytes[1], bytes[0]);
  assertEquals(bytes[2], bytes[0]);
});

Deno.test("POST /adapters stores an adapter that gives the model back as far as it says", async () => {
  await withApp(async (app) => {
    const merged = await mergedBytes(
      await postRecipe(app, "/merge", applied("a"), { base: BASE, ...parts("a", "third") }),
    );
    const ids: string[] = [];
    for (const bytes of [BASE, merged]) {
      ids.push((await (await post(app, "/checkpoints", bytes)).json()).id);
    }
    const [base, model] = ids;
    const response = await post(app, "/adapters", { base, model, rank: 2 });
    const answer = await response.json();
    assertEquals(response.status, 201, JSON.stringify(answer));
    assertEquals(response.headers.get("location"), `/checkpoints/${answer.id}`);
    assertEquals([answer.checkpoint.id, answer.rank], [answer.id, 2]);
    assertEquals(answer.modules.map(({ module }: { module: string }) => module).sort(), [
      "blocks.0.q",
      "blocks.0.v",
      "blocks.1.q",
      "blocks.1.v",
    ]);
    // The model was rounded to float32.
    assert(answer.relative_error < 1e-6 && answer.overall_error < 1e-6);
    assertEquals(
      answer.left_out.find(({ name }: { name: string }) => name === "patch.weight").reason,
      "unchanged",
    );
    assertEquals(
      (await (await app.request(`/checkpoints/${answer.id}/tensors`)).json()).kind,
      "adapter",
    );
    const again = await post(app, "/merge", {
      ...applied(answer.id),
      base_model: base,
    });
    assertEquals(again.status, 200);
    const numbers = await floatsOf(await mergedBytes(again));
    assert(furthest(numbers, await floatsOf(merged)) < 1e-6);
    // The same request gives the same bytes.
    assertEquals(
      (await (await post(app, "/adapters", { base, model, rank: 2 })).json()).id,
      answer.id,
    );
    // From a stored task vector, with progress.
    const { id: vector } = await (await post(app, "/task-vectors", { base, model })).json();
    const events = await post(app, "/adapters", { task_vector: vector, energy: 0.9 }, {
      accept: "application/x-ndjson",
    });
    const lines = (await events.text()).trim().split("\n").map((line) => JSON.parse(line));
    assertEquals(lines.filter(({ event }) => event === "module").length, 4);
    assertEquals(lines.at(-1).event, "result");
  });
});

Deno.test("POST /adapters says what is wrong", async () => {
  await withApp(async (app) => {
    const both = await problemOf(await post(app, "/adapters", { task_vector: "x", rank: 0 }));
    assertEquals([both.kind, both.errors?.[0]?.path], ["invalid-recipe", "rank"]);
    const unknown = await problemOf(await post(app, "/adapters", { task_vector: "x", rank: 1 }));
    assertEquals(unknown.kind, "unknown-source");
    const { id } = await (await store(app, "first")).json();
    const adapter = await problemOf(await post(app, "/adapters", { task_vector: id, rank: 1 }));
    assertStringIncludes(adapter.detail, "of kind adapter");
    // What failed leaves nothing behind.
    assertEquals((await (await app.request("/checkpoints")).json()).checkpoints.length, 1);
  });
});

Deno.test("a merge of adapters as a job is stored as an adapter", async () => {
  await withApp(async (app) => {
    const body = new FormData();
    const recipe = { merge_method: "lora_svd", models: PAIR, parameters: { rank: 1 } };
    body.append("recipe", new Blob([JSON.stringify(recipe)], { type: "application/json" }), "r");
    for (const [name, bytes] of Object.entries(pair)) body.append(name, new Blob([bytes]), name);
    const headers = { prefer: "respond-async" };
    const accepted = await app.request("/merge", { method: "POST", body, headers });
    const job = accepted.headers.get("location")!;
    await accepted.body?.cancel();
    await (await app.request(`${job}/events`)).text();
    const { state, result } = await (await app.request(job)).json();
    assertEquals([state, result.checkpoint.kind], ["done", "adapter"]);
    const models = [{ model: result.checkpoint.id }];
    await assertMerged(
      await post(app, "/merge", { merge_method: "task_arithmetic", models }),
      expected.svd1,
    );
  });
});
