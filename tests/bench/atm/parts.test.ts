/**
 * Options, splits of rows, and the networks.
 *
 * @module
 */
import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { cnn } from "../../../bench/atm/cnn.ts";
import { buildNetwork, networkBytes, networkWeights } from "../../../bench/atm/network.ts";
import { cosine } from "../../../bench/atm/one_shot.ts";
import { readOptions } from "../../../bench/atm/options.ts";
import { seededNormal } from "../../../bench/atm/random.ts";
import { bestOnSelect, offDiagonal, splits } from "../../../bench/atm/results.ts";
import { floats, readArrays, writeArrays } from "../../../bench/atm/safetensors.ts";
import { poolRows, type Rows, shardBytes, sliceRows } from "../../../bench/atm/shards.ts";
import { vit } from "../../../bench/atm/vit.ts";
import { onnxWorkspace } from "../../../core/engine/onnx_workspace.ts";
import { numbersOf, tensorOf } from "../../../core/onnx/element_type.ts";

/** Rows whose pixels all hold the row's number. */
function madeRows(from: number, count: number): Rows {
  const images = new Uint8Array(count * 784);
  for (let i = 0; i < count; i++) images.fill(from + i, i * 784, (i + 1) * 784);
  return { images, labels: Array.from({ length: count }, (_, i) => (from + i) % 10) };
}

Deno.test("options: seeds, rows and networks; what is not one is refused", () => {
  const { plan, output } = readOptions(["--seeds", "5", "--rows", "700", "--networks", "vit"]);
  assertEquals([plan.seeds, plan.tuneRows, plan.networks], [[1, 2, 3, 4, 5], 700, ["vit"]]);
  assertEquals(output, "docs/atm.md");
  const quick = readOptions(["--quick", "--data", "elsewhere"]);
  assertEquals([quick.plan.seeds.length, quick.data], [1, "elsewhere"]);
  assert(quick.output !== output, "a quick run must not overwrite the report");
  assertThrows(() => readOptions(["--seeds", "0"]), Error, "current value is 0");
  assertThrows(() => readOptions(["--sedes", "3"]), Error, "--sedes");
  assertThrows(() => readOptions(["--data"]), Error, "--data needs a value");
});

Deno.test("budgets split into rounds and epochs whose product they are", () => {
  assertEquals(splits(4).map(({ rounds, epochs }) => [rounds, epochs]), [[1, 4], [2, 2], [4, 1]]);
  assertEquals(splits(10).map(({ rounds }) => rounds), [1, 2, 5, 10]);
});

Deno.test("what is chosen on the select rows pays for all that was tried, whatever the test rows say", () => {
  const row = (select: number, test: number) => ({ select: [select], test: [test], steps: 10 });
  const chosen = bestOnSelect({ a: row(0.7, 0.9), b: row(0.8, 0.6), c: row(0.75, 0.95) });
  assertEquals(chosen, { select: [0.8], test: [0.6], steps: 30, chosen: "b" });
});

Deno.test("pooled rows take turns, with classes side by side", () => {
  const pooled = poolRows([madeRows(0, 3), madeRows(100, 2)]);
  assertEquals(pooled.labels, [0, 10, 1, 11]);
  assertEquals(Array.from(pooled.labels, (_, row) => pooled.images[row * 784]), [0, 100, 1, 101]);
  assertEquals(sliceRows(madeRows(0, 5), 3, 5), madeRows(3, 2));
});

Deno.test("a shard reads back as it was written", async () => {
  const { x, y } = await readArrays(shardBytes(madeRows(7, 4)));
  assertEquals([x!.dtype, x!.shape, y!.dtype, y!.shape], ["U8", [4, 28, 28], "I64", [4]]);
  assertEquals([...new BigInt64Array(y!.bytes.buffer)], [7n, 8n, 9n, 0n]);
  const values = new Float32Array([1.5, -2]);
  const bytes = new Uint8Array(values.buffer);
  const file = writeArrays({ w: { dtype: "F32", shape: [2], bytes } });
  assertEquals([...floats((await readArrays(file)).w!)], [1.5, -2]);
});

Deno.test("cosines: of known vectors, and the mean off the diagonal", () => {
  const list = (...values: number[]) => [new Float32Array(values)];
  assertAlmostEquals(cosine(list(1, 0), list(1, 1)), Math.SQRT1_2, 1e-7);
  assertAlmostEquals(cosine([...list(3), ...list(4)], [...list(-3), ...list(-4)]), -1, 1e-12);
  assertEquals(offDiagonal([[1, 2, 3], [4, 1, 5], [6, 7, 1]]), 4.5);
});

Deno.test("seeded normal numbers have mean 0 and deviation 1, and repeat", () => {
  const draw = (seed: number) => {
    const next = seededNormal(seed);
    return Array.from({ length: 20_000 }, next);
  };
  const values = draw(3);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const square = values.reduce((sum, value) => sum + value * value, 0) / values.length;
  assert(Math.abs(mean) < 0.03 && Math.abs(square - 1) < 0.05);
  assertEquals(draw(3), values);
  assert(draw(4)[0] !== values[0]);
});

Deno.test("both networks run, are small, and differ by seed and not by head", async () => {
  for (const network of [cnn, vit]) {
    const model = buildNetwork(network, 10, 1);
    const weights = networkWeights(model);
    const count = [...weights.values()].reduce((sum, { bytes }) => sum + bytes.length / 4, 0);
    assert(count > 10_000 && count < 100_000, `${network.name}: ${count}`);
    assertEquals(weights.get("head.weight")!.shape, [10, network.width]);
    const wide = networkWeights(buildNetwork(network, 40, 1));
    for (const [name, { bytes }] of weights) {
      if (!name.startsWith("head.")) assertEquals(wide.get(name)!.bytes, bytes, name);
    }
    const workspace = onnxWorkspace();
    try {
      const images = Array.from({ length: 3 * 784 }, (_, i) => (i % 97) / 97);
      const feeds = { image: tensorOf("float32", [3, 1, 28, 28], images) };
      const run = async (seed: number) => {
        await workspace.load("net", networkBytes(buildNetwork(network, 10, seed)));
        return numbersOf((await workspace.run("net", feeds))["logits"]!);
      };
      const logits = await run(1);
      assertEquals(logits.length, 30);
      assert(Array.from(logits).every((value) => Number.isFinite(Number(value))));
      assert(Array.from(await run(2)).some((value, i) => value !== logits[i]));
    } finally {
      await workspace.close();
    }
  }
});
