import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import {
  doublesOf,
  expectedStatistics,
  fixture,
  fixtureUploads,
  statisticsOf,
  statisticsRequest,
} from "../support/statistics.ts";
import { checkpointOf } from "../support/tuning.ts";
import { safetensorsOf } from "../support/small_model.ts";

/** The first rows of a fixture, for which PyTorch took the information. */
async function firstRows(name: string, count: number) {
  const { tensors } = await checkpointOf(await fixture(`${name}_rows.safetensors`));
  const { source, start, end, shape } = tensors.get("x")!;
  const [rows = 0, ...rest] = shape;
  const bytes = await source.slice(start, start + (end - start) / rows * count);
  return safetensorsOf({ x: { type: "float32", shape: [count, ...rest], bytes } });
}

async function uploadsOf(name: string) {
  const rows = await firstRows(name, 10);
  return (await fixtureUploads(name)).map(([part, bytes]) =>
    [part, part === "rows" ? rows : bytes] as const
  );
}

for (const name of ["mlp", "block"]) {
  Deno.test(`the Fisher information of the ${name} over all classes is PyTorch's`, async () => {
    const { fisher } = await expectedStatistics(name);
    const { answer, checkpoint } = await statisticsOf(
      statisticsRequest("fisher"),
      await uploadsOf(name),
    );
    assertEquals(answer.rows, 10);
    assertEquals(checkpoint.kind, "statistics");
    assertEquals([...checkpoint.tensors.keys()].sort(), Object.keys(fisher!).sort());
    for (const [tensor, values] of Object.entries(fisher!)) {
      const scale = Math.max(...values);
      (await doublesOf(checkpoint, tensor)).forEach((value, i) => {
        const error = Math.abs(value - values[i]!);
        assert(error <= 2e-5 * values[i]! + 1e-7 * scale, `${tensor}[${i}]: ${value}`);
      });
    }
  });
}

Deno.test("drawn classes give the information of all on average", async () => {
  const uploads = await uploadsOf("mlp");
  const total = async (changes: Record<string, unknown>) => {
    const { checkpoint } = await statisticsOf(statisticsRequest("fisher", changes), uploads);
    return (await doublesOf(checkpoint, "head")).reduce((sum, value) => sum + value, 0);
  };
  const exact = await total({});
  const draws: number[] = [];
  for (let seed = 0; seed < 24; seed++) draws.push(await total({ outcomes: "sample", seed }));
  const mean = draws.reduce((sum, value) => sum + value, 0) / draws.length;
  const deviation = Math.sqrt(
    draws.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (draws.length - 1),
  );
  assert(deviation > 0, "the seed must change what is drawn");
  assertAlmostEquals(mean, exact, 4 * deviation / Math.sqrt(draws.length));
});
