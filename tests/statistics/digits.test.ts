import { assert, assertEquals } from "@std/assert";
import type { Bytes } from "../../core/checkpoint/byte_source.ts";
import { mergedBytes, postRecipe } from "../support/merge_requests.ts";
import { testApp } from "../support/service.ts";
import { safetensorsOf } from "../support/small_model.ts";
import { checkpointOf, postDocument } from "../support/tuning.ts";

const PARTS = ["upright", "left", "upside_down", "right"];
const FOLDER = "fixtures/digits";
const PIXELS = 64;
const read = (name: string): Promise<Bytes> => Deno.readFile(`${FOLDER}/${name}`);

/** The rows of one part, without their labels. */
async function rowsOf(part: number): Promise<Bytes> {
  const { tensors } = await checkpointOf(await read("val.safetensors"));
  const bytes = async (name: string) => {
    const { source, start, end } = tensors.get(name)!;
    return await source.slice(start, end);
  };
  const [x, parts] = [await bytes("x"), await bytes("part")];
  const chosen = [...parts.keys()].filter((row) => parts[row] === part);
  const rows = chosen.flatMap((row) => [...x.subarray(row * PIXELS, (row + 1) * PIXELS)]);
  return safetensorsOf({
    x: { type: "uint8", shape: [chosen.length, PIXELS], bytes: Uint8Array.from(rows) },
  });
}

Deno.test("250 unlabelled rows of each part make merges of real experts much better", async () => {
  const { app, close } = testApp();
  try {
    const net = await read("digits.onnx");
    const experts = Object.fromEntries(
      await Promise.all(
        PARTS.map(async (part) => [part, await read(`${part}.safetensors`)] as const),
      ),
    );
    const shards = await Promise.all(PARTS.map((_, i) => rowsOf(i)));
    const inputs = { x: { from: "x", scale: 1 / 16 } };
    const ids = async (kind: string, loss?: string) => {
      const sources: Record<string, { checkpoint: string }> = {};
      for (const [i, part] of PARTS.entries()) {
        const task = { name: part, shard: "rows", inputs, ...(loss ? { loss } : {}) };
        const response = await postDocument(
          app,
          "/statistics",
          { model: "net", start: "expert", kind, tasks: [task] },
          [["net", net], ["expert", experts[part]!], ["rows", shards[i]!]],
        );
        const { statistics } = await response.json();
        sources[`of ${part}`] = { checkpoint: statistics.id };
      }
      return sources;
    };
    const merge = async (merge_method: string, sources?: Record<string, unknown>) =>
      await mergedBytes(
        await postRecipe(app, "/merge", {
          merge_method,
          models: PARTS.map((model) => ({
            model,
            ...(sources ? { statistics: `of ${model}` } : {}),
          })),
          ...(sources ? { sources } : {}),
        }, experts),
      );
    const along = await postDocument(app, "/statistics", {
      model: "net",
      kind: "gram",
      tasks: PARTS.map((part) => ({ name: `of ${part}`, shard: `rows of ${part}`, inputs })),
      merge: {
        merge_method: "regmean_plus_plus",
        models: PARTS.map((model) => ({ model, statistics: `of ${model}` })),
      },
    }, [
      ["net", net],
      ...Object.entries(experts),
      ...PARTS.map((part, i) => [`rows of ${part}`, shards[i]!] as const),
    ]);
    const { statistics } = await along.json();
    const path = Object.fromEntries(
      Object.entries(statistics as Record<string, { id: string }>)
        .map(([name, { id }]) => [name, { checkpoint: id }]),
    );
    const merged = {
      linear: await merge("linear"),
      fisher: await merge("fisher", await ids("fisher", "cross_entropy")),
      regmean: await merge("regmean", await ids("gram")),
      regmean_plus_plus: await merge("regmean_plus_plus", path),
    };
    const scored = await postDocument(app, "/evaluate", {
      model: "net",
      checkpoints: Object.keys(merged),
      tasks: [{ name: "test", shard: "rows", inputs, target: "y", loss: "cross_entropy" }],
    }, [["net", net], ["rows", await read("test.safetensors")], ...Object.entries(merged)]);
    const { checkpoints } = await scored.json();
    const accuracy = (name: string): number => checkpoints[name].test.accuracy;
    assertEquals(Object.keys(checkpoints), Object.keys(merged));
    const told = JSON.stringify(Object.keys(merged).map((name) => [name, accuracy(name)]));
    assert(accuracy("fisher") > accuracy("linear"), told);
    assert(accuracy("regmean") > accuracy("fisher"), told);
    assert(accuracy("regmean") > accuracy("linear") + 0.05, told);
    assert(accuracy("regmean_plus_plus") > accuracy("linear") + 0.05, told);
  } finally {
    await close();
  }
});
