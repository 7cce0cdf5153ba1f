import { assert, assertEquals } from "@std/assert";
import {
  denseOf,
  expectedNumbers,
  furthest,
  mergeOpened,
  openedAdapter,
  openedPeft,
} from "../support/adapters.ts";
import { adapterFixture } from "../support/adapters.ts";
import { openSafetensors } from "../../core/checkpoint/open_safetensors.ts";
import { memorySource } from "../../core/checkpoint/memory_source.ts";

const expected = expectedNumbers();
/** Values are below 4 in magnitude: half a unit of float32 there, and the sums of a merge. */
const CLOSE = 4e-7;
const base = await openSafetensors(memorySource(adapterFixture("base.safetensors")));
const names = (...models: string[]) => models.map((model) => ({ model }));

for (const name of Object.keys(expected.deltas)) {
  Deno.test(`the dense task vector of ${name} is peft's`, async () => {
    const found = await denseOf(await openedPeft(name));
    assert(furthest(found, expected.deltas[name]!) < CLOSE);
  });
}

for (const name of ["first", "turned"]) {
  Deno.test(`${name} on its base is what merge_and_unload gives, other tensors are copied`, async () => {
    const recipe = { merge_method: "task_arithmetic", base_model: "base", models: names("a") };
    const { values, reports } = await mergeOpened(recipe, { base, a: await openedPeft(name) });
    assert(furthest(values, expected.merged[name]!) < CLOSE);
    const norm = reports.find((report) => report.name === "blocks.0.norm.weight")!;
    assertEquals([norm.action, norm.reasons], ["copy", ["no-module"]]);
  });
}

Deno.test("two adapters with weights on a base are peft's sum", async () => {
  const { values } = await mergeOpened({
    merge_method: "task_arithmetic",
    base_model: "base",
    models: [
      { model: "a", parameters: { weight: 0.5 } },
      { model: "b", parameters: { weight: -1.5 } },
    ],
  }, { base, a: await openedPeft("first"), b: await openedPeft("second") });
  assert(furthest(values, expected.both) < CLOSE);
});

const PAIR = [
  { model: "a", parameters: { weight: 0.75 } },
  { model: "b", parameters: { weight: -0.5 } },
];
const pair = { a: await openedPeft("third"), b: await openedPeft("fourth") };

for (
  const [method, parameters, key] of [
    ["lora_cat", {}, "cat"],
    ["lora_svd", { rank: 1 }, "svd1"],
    ["lora_svd", { rank: 3 }, "svd3"],
    // The default is the largest rank, here 3.
    ["lora_svd", {}, "svd3"],
    ["lora_svd", { rank: 5 }, "cat"],
    ["lora_svd", { rank: 100 }, "cat"],
    ["lora_svd", { energy: 1 }, "cat"],
  ] as const
) {
  Deno.test(`${method} ${JSON.stringify(parameters)} is peft's add_weighted_adapter`, async () => {
    const recipe = { merge_method: method, models: PAIR, parameters };
    const { checkpoint } = await mergeOpened(recipe, pair);
    assert(furthest(await denseOf(checkpoint), expected[key]) < CLOSE);
  });
}

/** `√(Σ_{l≥first} σ_l² / Σσ_l²)` of the values that PyTorch found. */
const lost = (first: (name: string, values: readonly number[]) => number) => {
  const squares = (values: readonly number[]) => values.reduce((sum, value) => sum + value ** 2, 0);
  const each = Object.entries(expected.singular).map(([name, values]) => ({
    module: name.replace(/\.weight$/, ""),
    lost: squares(values.slice(first(name, values))),
    total: squares(values),
  }));
  const sum = (key: "lost" | "total") => each.reduce((total, module) => total + module[key], 0);
  return { each, all: Math.sqrt(sum("lost") / sum("total")) };
};

Deno.test("the error of lora_svd is that of the singular values, per module and in all", async () => {
  for (const rank of [1, 2, 3, 4]) {
    const recipe = { merge_method: "lora_svd", models: PAIR, parameters: { rank } };
    const { checkpoint: { metadata }, reports } = await mergeOpened(recipe, pair);
    const { each, all } = lost(() => rank);
    assert(Math.abs(Number(metadata["amalgam.error"]) - all) < 1e-7);
    const told = JSON.parse(metadata["amalgam.errors"]!);
    assertEquals(Object.keys(told).length, each.length);
    for (const { module, lost, total } of each) {
      assertEquals(told[module].rank, rank);
      assert(Math.abs(told[module].relative_error - Math.sqrt(lost / total)) < 1e-7);
      const report = reports.find(({ name }) => name.includes(`${module}.lora_A`))!;
      assertEquals(report.statistics, told[module]);
      assertEquals(report.action, "merge");
    }
  }
});

Deno.test("an energy keeps the least rank that has it", async () => {
  for (const energy of [0.1, 0.5, 0.9, 0.99, 1]) {
    const least = (_: string, values: readonly number[]) => {
      // Beyond rank 5 there is rounding noise only.
      const squares = values.slice(0, 5).map((value) => value ** 2);
      const total = squares.reduce((sum, square) => sum + square, 0);
      let [rank, sum] = [0, 0];
      while (rank < 5 && sum < energy * total * (1 - 1e-12)) sum += squares[rank++]!;
      return rank;
    };
    const recipe = { merge_method: "lora_svd", models: PAIR, parameters: { energy } };
    const { checkpoint: { metadata } } = await mergeOpened(recipe, pair);
    const told = JSON.parse(metadata["amalgam.errors"]!);
    for (const { module } of lost(least).each) {
      const values = expected.singular[`${module}.weight`]!;
      assertEquals(told[module].rank, least(module, values), `${energy} ${module}`);
    }
    assert(Math.abs(Number(metadata["amalgam.error"]) - lost(least).all) < 1e-7);
  }
});

Deno.test("what is written needs no scale, and is read by its own metadata", async () => {
  const recipe = { merge_method: "lora_svd", models: PAIR, parameters: { rank: 2 } };
  const { bytes, checkpoint } = await mergeOpened(recipe, pair);
  const config = JSON.parse(checkpoint.metadata.adapter_config!);
  assertEquals(
    [config.peft_type, config.r, config.lora_alpha, config.use_rslora, config.rank_pattern],
    ["LORA", 2, 2, false, {}],
  );
  assertEquals(config.base_model_name_or_path, "org/base");
  assertEquals(config.target_modules, ["blocks.0.q", "blocks.0.v", "blocks.1.q", "blocks.1.v"]);
  assertEquals(checkpoint.kind, "adapter");
  const again = await openedAdapter(bytes, checkpoint.metadata.adapter_config);
  assertEquals(furthest(await denseOf(again), await denseOf(checkpoint)), 0);
});
