import { assert, assertAlmostEquals, assertEquals, assertStringIncludes } from "@std/assert";
import { type FileRoute, startFileServer } from "../support/file_server.ts";
import { checkpointBytes } from "../support/merging.ts";
import {
  floatsOf,
  mergedBytes,
  postRecipe,
  problemOf,
  shardedFixture,
} from "../support/merge_requests.ts";
import { testApp, type TestAppOptions } from "../support/service.ts";
import { inFolder } from "../support/temporary_folder.ts";

const INDEX = "model.safetensors.index.json";
const expected = JSON.parse(new TextDecoder().decode(shardedFixture("expected.json")));

/** The fixtures below their own paths. */
const fixtures: FileRoute = (path) => {
  try {
    return shardedFixture(decodeURIComponent(path.slice(1)));
  } catch {
    return undefined;
  }
};

/** Runs with a server of files and an application that may read it. */
async function withServer(
  route: FileRoute,
  run: (
    app: ReturnType<typeof testApp>["app"],
    server: ReturnType<typeof startFileServer>,
  ) => Promise<void>,
  options: TestAppOptions = {},
): Promise<void> {
  const server = startFileServer(route);
  const { app, close } = testApp({ sourceHosts: [server.host], ...options });
  try {
    await run(app, server);
  } finally {
    await close();
    await server.close();
  }
}

function linear(sources: Record<string, unknown>) {
  const models = Object.keys(sources).map((model) => ({ model }));
  return { merge_method: "linear", models, sources };
}

Deno.test("shards are found through their index, read by ranges, and merged as PyTorch's mean", async () => {
  await withServer(fixtures, async (app, server) => {
    const recipe = linear({
      base: { url: `${server.url}/base/${INDEX}?key=hush` },
      tuned: { url: `${server.url}/tuned/${INDEX}` },
    });
    const values = await floatsOf(await mergedBytes(await postRecipe(app, "/merge", recipe)));
    const sums = expected.language_model.mean_sums as Record<string, number>;
    assertEquals(Object.keys(values).sort(), Object.keys(sums).sort());
    for (const [name, sum] of Object.entries(sums)) {
      assertAlmostEquals(values[name]!.reduce((total, value) => total + value, 0), sum, 1e-4, name);
    }
    assert(server.seen.every(({ range }) => range.startsWith("bytes=")));
    // What the index is asked with, its shards are asked with as well.
    const shard = "model-00002-of-00003.safetensors";
    assert(server.seen.some(({ path }) => path === `/base/${shard}?key=hush`));
    assert(server.seen.some(({ path }) => path === `/tuned/${shard}`));
  });
});

Deno.test("blocks of sharded checkpoints are stacked, and rows that one lacks follow mismatch", async () => {
  const grown = checkpointBytes({
    "model.embed_tokens.weight": { shape: [2, 2], values: [1, 2, 3, 4] },
  });
  const route: FileRoute = (path, request) => path === "/grown" ? grown : fixtures(path, request);
  await withServer(route, async (app, server) => {
    const sources = {
      base: { url: `${server.url}/base/${INDEX}` },
      tuned: { url: `${server.url}/tuned/${INDEX}` },
      grown: { url: `${server.url}/grown` },
    };
    const slice = (model: string, layer_range: number[]) => ({ sources: [{ model, layer_range }] });
    const stack = {
      merge_method: "passthrough",
      slices: [slice("base", [0, 2]), slice("tuned", [1, 2])],
      sources,
    };
    const values = await floatsOf(await mergedBytes(await postRecipe(app, "/merge", stack)));
    const name = (block: number) => `model.layers.${block}.mlp.up_proj.weight`;
    const read = async (file: string) => (await floatsOf(shardedFixture(file)))[name(1)];
    const shard = JSON.parse(new TextDecoder().decode(shardedFixture(`base/${INDEX}`)))
      .weight_map[name(1)];
    assertEquals(values[name(1)], await read(`base/${shard}`));
    assertEquals(values[name(2)], await read(`tuned/${shard}`));

    const soup = {
      merge_method: "task_arithmetic",
      base_model: "base",
      models: [{ model: "tuned", parameters: { weight: 0.5 } }, { model: "grown" }],
      missing: "drop",
      sources,
    };
    const problem = await problemOf(await postRecipe(app, "/plan", soup));
    assertEquals(problem.kind, "mismatch");
    const actions: Record<string, [string, string, string]> = {
      base: ["copy", "shape", "base"],
      skip: ["merge", "shape", "tuned"],
    };
    for (const [mismatch, [action, reason, model]] of Object.entries(actions)) {
      const plan = await (await postRecipe(app, "/plan", { ...soup, mismatch })).json();
      const embedding = plan.tensors.find((tensor: { name: string }) =>
        tensor.name === "model.embed_tokens.weight"
      );
      assertEquals([embedding.action, embedding.reason, embedding.models], [action, reason, [
        model,
      ]]);
      // What is tied stands once: the output layer of neither is missing.
      assertEquals(plan.tensors.length, 20);
    }
  });
});

Deno.test("an index among the operator's files opens the shards beside it", async () => {
  await inFolder(async (folder) => {
    const files = [...Array(3).keys()].map((i) => `model-0000${i + 1}-of-00003.safetensors`);
    Deno.mkdirSync(`${folder}/base`);
    for (const file of [INDEX, ...files]) {
      Deno.writeFileSync(`${folder}/base/${file}`, shardedFixture(`base/${file}`));
    }
    const { app, close } = testApp({ files: folder });
    const recipe = linear({ base: { path: `base/${INDEX}` } });
    const plan = await (await postRecipe(app, "/plan", recipe)).json();
    assertEquals(plan.tensors.length, 20);
    Deno.removeSync(`${folder}/base/${files[1]}`);
    const missing = await problemOf(await postRecipe(app, "/plan", recipe));
    assertEquals([missing.kind, missing.source, missing.shard], ["not-found", "base", files[1]]);
    await close();
  });
});

const PLACES = { a: "one.safetensors", b: "two.safetensors" };
const SHARDS: Record<string, Uint8Array<ArrayBuffer>> = {
  "/one.safetensors": checkpointBytes({ a: [1, 2] }),
  "/two.safetensors": checkpointBytes({ b: [3] }),
};

/** Serves two shards and an index with this content. */
function indexed(index: unknown, shards: Record<string, Uint8Array<ArrayBuffer>> = {}): FileRoute {
  const text = typeof index === "string" ? index : JSON.stringify({ weight_map: index });
  return (path) =>
    path === "/index.json" ? new TextEncoder().encode(text) : { ...SHARDS, ...shards }[path];
}

async function planProblem(route: FileRoute) {
  let problem: Awaited<ReturnType<typeof problemOf>> | undefined;
  await withServer(route, async (app, server) => {
    const recipe = linear({ m: { url: `${server.url}/index.json` } });
    problem = await problemOf(await postRecipe(app, "/plan", recipe));
  });
  return problem!;
}

Deno.test("an index that lies is refused with the tensor, the shard and every fault", async () => {
  const cases: [FileRoute, string, string, string][] = [
    [indexed({ ...PLACES, c: "two.safetensors" }), "c", "two.safetensors", "holds it"],
    [indexed({ a: PLACES.b, b: PLACES.b }), "a", "two.safetensors", "holds it"],
    [indexed({ a: PLACES.b, b: PLACES.a }), "a", "two.safetensors", 'it lies in "one.safetensors"'],
    [
      indexed(PLACES, { "/two.safetensors": checkpointBytes({ b: [3], d: [4] }) }),
      "d",
      "two.safetensors",
      "the index does not name it",
    ],
    [
      indexed(PLACES, { "/two.safetensors": checkpointBytes({ a: [1, 2], b: [3] }) }),
      "a",
      "two.safetensors",
      'two shards: "one.safetensors" and "two.safetensors"',
    ],
  ];
  for (const [route, tensor, shard, says] of cases) {
    const problem = await planProblem(route);
    assertEquals(
      [problem.kind, problem.source, problem.tensor, problem.shard],
      ["invalid-checkpoint", "m", tensor, shard],
      problem.detail,
    );
    assertStringIncludes(problem.detail, says);
    assert(problem.errors!.length >= 1);
  }
  const swapped = await planProblem(indexed({ a: PLACES.b, b: PLACES.a }));
  assertEquals(swapped.errors!.length, 2);
});

Deno.test("an index that is malformed or leads elsewhere is refused at its byte", async () => {
  const cases: [string, string][] = [
    ['{"weight_map": {"a": "one.safetensors", "a": "one.safetensors"}}', "stands twice"],
    ['{"weight_map": {}}', "names no tensor"],
    ['{"weight_map": ["a"]}', "must map tensors to files"],
    ['{"weight_map": {"a": 1}}', "must lie in its folder"],
    ['{"weight_map": {"a": "../one.safetensors"}}', "must lie in its folder"],
    ['{"weight_map": {"a": "/one.safetensors"}}', "must lie in its folder"],
    ['{"weight_map": {"a": "https://127.0.0.1/one.safetensors"}}', "must lie in its folder"],
    ['{"weight_map": {"a": "one.safetensors"}', "must be JSON"],
  ];
  for (const [text, says] of cases) {
    const problem = await planProblem(indexed(text));
    assertEquals([problem.kind, problem.source], ["invalid-checkpoint", "m"], text);
    assertEquals(typeof problem.byte, "number");
    assertStringIncludes(problem.detail, says);
  }
});

Deno.test("shards that cannot be read are named, and kinds that differ are refused", async () => {
  const missing = await planProblem(indexed({ ...PLACES, c: "three.safetensors" }));
  assertEquals(
    [missing.kind, missing.shard, missing.upstream_status],
    ["upstream", "three.safetensors", 404],
  );
  const pickle = await planProblem(
    indexed(PLACES, {
      "/two.safetensors": Uint8Array.from([0x80, 2, 0x8a, 10, 108, 252, 156, 70]),
    }),
  );
  assertEquals([pickle.kind, pickle.shard], ["unsupported-format", "two.safetensors"]);
  const vector = checkpointBytes({ b: [3] }, { kind: "task_vector" });
  const mixed = await planProblem(indexed(PLACES, { "/two.safetensors": vector }));
  assertEquals([mixed.kind, mixed.shard], ["invalid-checkpoint", "two.safetensors"]);
});

Deno.test("an index without a place of its own has no shards", async () => {
  const { app, close } = testApp();
  const index = new TextEncoder().encode(JSON.stringify({ weight_map: PLACES }));
  const recipe = { merge_method: "linear", models: [{ model: "m" }] };
  const problem = await problemOf(await postRecipe(app, "/plan", recipe, { m: index }));
  assertEquals([problem.kind, problem.source], ["unknown-source", "m"]);
  await close();
});
