import { assertEquals, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import { startFileServer } from "../support/file_server.ts";
import { checkpointBytes } from "../support/merging.ts";
import {
  type Files,
  floatsOf,
  mergedBytes,
  postRecipe,
  problemOf,
  unzipped,
} from "../support/merge_requests.ts";
import { testApp } from "../support/service.ts";

const INDEX = "model.safetensors.index.json";
const model = checkpointBytes({
  a: [1, 2],
  b: [3, 4, 5, 6],
  c: [7],
  d: { dtype: "F16", values: [1, 2, 3] },
  "7": [8],
}, { format: "pt" });

function recipe(shard_size: unknown, more: Record<string, unknown> = {}) {
  return {
    merge_method: "linear",
    models: [{ model: "m" }],
    output: { shard_size },
    ...more,
  };
}

async function withApp(run: (app: ReturnType<typeof testApp>["app"]) => Promise<void>) {
  const { app, close } = testApp();
  await run(app);
  await close();
}

Deno.test("a result is cut into shards with an index, as one archive of the announced length", async () => {
  await withApp(async (app) => {
    const response = await postRecipe(app, "/merge", recipe(16, { name: "cut" }), { m: model });
    assertEquals(response.headers.get("content-type"), "application/zip");
    assertStringIncludes(response.headers.get("content-disposition")!, 'filename="cut.zip"');
    const archive = await mergedBytes(response);
    const files = await unzipped(archive);
    const [one, two, three] = ["00001", "00002", "00003"].map((n) =>
      `model-${n}-of-00003.safetensors`
    );
    assertEquals(Object.keys(files), [INDEX, one, two, three]);
    // In the order of a safetensors file, by type and then by name; at most 16 bytes a shard.
    assertEquals(JSON.parse(new TextDecoder().decode(files[INDEX])), {
      metadata: { total_size: 38 },
      weight_map: { "7": one, a: one, b: two, c: three, d: three },
    });
    const plan = await (await postRecipe(app, "/plan", recipe(16), { m: model })).json();
    assertEquals(plan.bytes_out, archive.length);
  });
});

Deno.test("shards put together again are the whole, whatever their size", async () => {
  await withApp(async (app) => {
    const whole = await floatsOf(
      await mergedBytes(await postRecipe(app, "/merge", recipe(undefined), { m: model })),
    );
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 60 }), async (size) => {
        const archive = await mergedBytes(
          await postRecipe(app, "/merge", recipe(size), { m: model }),
        );
        const files = await unzipped(archive);
        const shards = Object.keys(files).filter((file) => file.endsWith(".safetensors"));
        const parts = await Promise.all(shards.map((file) => floatsOf(files[file]!)));
        assertEquals(Object.assign({}, ...parts), whole);
        assertEquals(INDEX in files, shards.length > 1);
        assertEquals(shards.length > 1, size < 38);
        if (shards.length === 1) assertEquals(shards, ["model.safetensors"]);
      }),
      { seed: 5, numRuns: 20 },
    );
  });
});

Deno.test("what was cut is a source again, and merges to the same bytes", async () => {
  await withApp(async (app) => {
    const archive = await mergedBytes(
      await postRecipe(app, "/merge", recipe(10), { m: model }),
    );
    const files: Files = await unzipped(archive);
    const server = startFileServer((path) => files[path.slice(1)]);
    const own = testApp({ sourceHosts: [server.host] });
    const document = recipe(undefined, { sources: { m: { url: `${server.url}/${INDEX}` } } });
    const again = await floatsOf(await mergedBytes(await postRecipe(own.app, "/merge", document)));
    assertEquals(again, await floatsOf(model));
    await own.close();
    await server.close();
  });
});

Deno.test("sizes are numbers of bytes, or texts with decimal or binary units", async () => {
  await withApp(async (app) => {
    for (const size of [1, "5GB", "500MiB", "1.5 KB", "16"]) {
      const response = await postRecipe(app, "/plan", recipe(size), { m: model });
      assertEquals(response.status, 200, String(size));
      await response.body?.cancel();
    }
    for (const size of [0, -1, 0.5, "", "5 apples", "0KB", 1e300, [], true]) {
      const problem = await problemOf(
        await postRecipe(app, "/plan", recipe(size), { m: model }),
      );
      assertEquals([problem.kind, problem.errors!.map(({ path }) => path)], [
        "invalid-recipe",
        ["output.shard_size"],
      ], String(size));
    }
  });
});
