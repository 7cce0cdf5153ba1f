import { assert, assertEquals } from "@std/assert";
import { checkpointBytes } from "../support/merging.ts";
import { floatsOf, mergedBytes, postRecipe } from "../support/merge_requests.ts";
import { testApp } from "../support/service.ts";

Deno.test("a merge on the GPU says so in its report", async () => {
  const files = {
    base: checkpointBytes({ w: [0, 0, 0, 0] }),
    a: checkpointBytes({ w: [1, 2, 3, 4] }),
  };
  const recipe = {
    merge_method: "task_arithmetic",
    base_model: "base",
    models: [{ model: "a", parameters: { weight: 0.5 } }],
  };
  const { app, close } = testApp({ engine: "webgpu" });
  const response = await postRecipe(app, "/merge", recipe, files);
  const link = /<(.*)>/.exec(response.headers.get("link")!)![1]!;
  const { w } = await floatsOf(await mergedBytes(response));
  assertEquals([...w!], [0.5, 1, 1.5, 2]);
  const { engine } = await (await app.request(link)).json();
  assertEquals([engine.name, engine.fallback], ["webgpu", undefined]);
  assert(engine.adapter.length > 0);
  await close();
});
