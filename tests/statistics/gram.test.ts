import { assert, assertEquals } from "@std/assert";
import {
  doublesOf,
  expectedStatistics,
  fixtureUploads,
  statisticsOf,
  statisticsRequest,
} from "../support/statistics.ts";

/** Products of a batch are float32: a few units of 2^-24 of the largest entry. */
const TOLERANCE = 2e-6;

function largest(values: Iterable<number>): number {
  return [...values].reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}

function assertNear(actual: Float64Array, expected: number[], what: string) {
  assertEquals(actual.length, expected.length, what);
  const scale = largest(expected);
  actual.forEach((value, i) => {
    const error = Math.abs(value - expected[i]!) / scale;
    assert(error < TOLERANCE, `${what}[${i}]: ${value} for ${expected[i]}`);
  });
}

for (const name of ["mlp", "block", "cnn"]) {
  Deno.test(`Gram matrices of the layers of the ${name} are those of PyTorch`, async () => {
    const { layers } = await expectedStatistics(name);
    const { answer, checkpoint } = await statisticsOf(
      statisticsRequest("gram"),
      await fixtureUploads(name),
    );
    assertEquals(answer.kind, "gram");
    assertEquals(answer.rows, 40);
    assertEquals(checkpoint.kind, "statistics");
    assertEquals(answer.tensors.map((tensor) => tensor.name).sort(), Object.keys(layers).sort());
    for (const { name: weight, shape, rows, axis, bias } of answer.tensors) {
      const { gram, ...layer } = layers[weight]!;
      assertEquals({ rows, axis, ...(bias ? { bias } : {}) }, layer, weight);
      const values = (gram as number[][]).flat(2) as number[];
      assertEquals(shape.at(-1)! ** 2 * (shape.length === 3 ? shape[0]! : 1), values.length);
      assertEquals(checkpoint.tensors.get(weight)!.shape, shape);
      const actual = await doublesOf(checkpoint, weight);
      assertNear(actual, values, weight);
      const size = shape.at(-1)!;
      for (let i = 0; i < size; i++) {
        for (let j = 0; j < i; j++) assertEquals(actual[i * size + j], actual[j * size + i]);
      }
    }
  });
}

Deno.test("without augment the matrices have no column of ones", async () => {
  const { layers } = await expectedStatistics("mlp");
  const { answer, checkpoint } = await statisticsOf(
    statisticsRequest("gram", { augment: false, tensors: { include: ["first.*"] } }),
    await fixtureUploads("mlp"),
  );
  assertEquals(answer.tensors.map(({ name, shape, bias }) => [name, shape, bias]), [
    ["first.weight", [6, 6], undefined],
  ]);
  assertEquals(answer.without, ["first.bias"]);
  const whole = layers["first.weight"]!.gram as number[][];
  const inner = whole.slice(0, 6).flatMap((row) => row.slice(0, 6));
  assertNear(await doublesOf(checkpoint, "first.weight"), inner, "first.weight");
});

Deno.test("tasks add up: two of one shard give the means of one, with twice the rows", async () => {
  const uploads = await fixtureUploads("cnn");
  const one = await statisticsOf(statisticsRequest("gram"), uploads);
  const task = (name: string) => ({ name, shard: "rows" });
  const two = await statisticsOf(
    statisticsRequest("gram", { tasks: [task("a"), task("b")] }),
    uploads,
  );
  assertEquals([one.answer.rows, two.answer.rows], [40, 80]);
  for (const { name, rows } of one.answer.tensors) {
    assertEquals(two.answer.tensors.find((tensor) => tensor.name === name)!.rows, 2 * rows!);
    assertEquals(
      await doublesOf(two.checkpoint, name),
      await doublesOf(one.checkpoint, name),
    );
  }
});

Deno.test("rows are drawn by the seed, and the same request gives the same bytes", async () => {
  const uploads = await fixtureUploads("mlp");
  const few = (seed: number) => statisticsOf(statisticsRequest("gram", { rows: 9, seed }), uploads);
  const [first, again, other] = [await few(1), await few(1), await few(2)];
  assertEquals(first.answer.rows, 9);
  assertEquals(first.answer.statistics, again.answer.statistics);
  assert(first.answer.statistics.id !== other.answer.statistics.id);
});
