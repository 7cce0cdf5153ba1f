import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import type { NamedSource } from "../../../../routes/page/app/sources/named_source.ts";
import {
  type RecipeDocument,
  recipeOf,
  usedNames,
  withBase,
  withModel,
  withoutName,
  withParameter,
  withRenamed,
} from "../../../../routes/page/app/views/merge/recipe/recipe_document.ts";
import {
  openNames,
  splitSources,
  withSources,
} from "../../../../routes/page/app/views/merge/recipe/recipe_sources.ts";
import {
  checkRecipe,
  readText,
  writeText,
} from "../../../../routes/page/app/views/merge/recipe/check_recipe.ts";
import { fixedRecipe, keysOf } from "../../../../routes/page/app/views/merge/recipe/fix_recipe.ts";
import {
  readSetting,
  settingText,
} from "../../../../routes/page/app/views/merge/recipe/setting_text.ts";
import {
  readShareText,
  shareable,
  shareText,
} from "../../../../routes/page/app/views/merge/recipe/share_link.ts";
import {
  putHosts,
  resultForm,
  resultName,
} from "../../../../routes/page/app/views/merge/run/result_name.ts";

const TIES: RecipeDocument = {
  merge_method: "ties",
  base_model: "base",
  models: [
    { model: "left", parameters: { weight: 0.6, density: [0.2, 0.8] } },
    { model: "right", parameters: { weight: [{ filter: "mlp", value: 0.3 }, { value: 0.5 }] } },
  ],
  parameters: { normalize: true },
  seed: 7,
};

const number = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0);
const value = fc.oneof(number, fc.boolean(), fc.array(number, { minLength: 1, maxLength: 4 }));
const setting = fc.oneof(
  value,
  fc.array(
    fc.oneof(
      fc.record({ filter: fc.string(), value }),
      fc.record({ value }),
    ),
    { minLength: 1, maxLength: 3 },
  ),
);
const recipe = fc.record({
  merge_method: fc.string({ minLength: 1 }),
  base_model: fc.string(),
  models: fc.array(
    fc.record({
      model: fc.string(),
      parameters: fc.dictionary(fc.string({ minLength: 1 }), setting),
    }, { requiredKeys: ["model"] }),
  ),
  parameters: fc.dictionary(fc.string({ minLength: 1 }), setting),
  seed: fc.nat(),
  name: fc.string({ unit: "grapheme" }),
}, { requiredKeys: ["merge_method"] });

Deno.test("a recipe is the same after it was written and read, as JSON and as YAML", async () => {
  await fc.assert(
    fc.asyncProperty(
      recipe,
      fc.constantFrom("json" as const, "yaml" as const),
      async (given, format) => {
        const plain = JSON.parse(JSON.stringify(given)) as RecipeDocument;
        if ("__proto__" in (plain.parameters ?? {})) return;
        const read = await readText(writeText(plain, format), format);
        assert("value" in read, "problem" in read ? read.problem.detail : "");
        assertEquals(read.value, plain);
        assertEquals(recipeOf(read.value), plain);
      },
    ),
    { numRuns: 200 },
  );
});

Deno.test("what a parameter's text says is the setting again", () => {
  const cases: [unknown, string][] = [
    [undefined, ""],
    [0.5, "0.5"],
    [[0.2, 0.8], "0.2, 0.8"],
    [[{ filter: "mlp", value: [0.2, 0.8] }, { value: 0.4 }], "mlp: 0.2, 0.8; 0.4"],
    [true, "true"],
    [[0.5], "[0.5]"],
    [[{ filter: "a:b", value: 1 }], '[{"filter":"a:b","value":1}]'],
  ];
  for (const [given, text] of cases) {
    assertEquals(settingText(given), text);
    assertEquals(readSetting(text), { setting: given });
  }
  fc.assert(
    fc.property(setting, (given) => {
      const plain = JSON.parse(JSON.stringify(given));
      const read = readSetting(settingText(plain));
      assert("setting" in read);
      const list = (each: unknown) => Array.isArray(each) ? each : [each];
      const isAlone = Array.isArray(plain) && plain.length === 1 &&
        settingText(plain) === settingText(plain[0].value);
      assertEquals(
        isAlone ? list(read.setting) : read.setting,
        isAlone ? [plain[0].value].flat() : plain,
      );
    }),
    { numRuns: 300 },
  );
  for (const text of ["x", "0.5;;0.4", "mlp:", ":0.5", "1,,2", "{", "a: b"]) {
    assert("fault" in readSetting(text), text);
  }
});

Deno.test("text that is no recipe leaves the controls as they are, and is told as the service tells it", async () => {
  const cases: [string, "json" | "yaml", string][] = [
    ['{"merge_method": "ties", }', "json", "line 1, column 26"],
    ["merge_method: ties\nmodels:\n- model: a\n  model: b", "yaml", "twice"],
    ["a: &x [*x]", "yaml", "alias"],
  ];
  for (const [text, format, words] of cases) {
    const read = await readText(text, format);
    assert("problem" in read);
    assertEquals(read.problem.type, "/problems/invalid-recipe");
    assert(read.problem.detail.includes(words), read.problem.detail);
  }
  for (
    const value of [
      null,
      3,
      [],
      {},
      { merge_method: 3 },
      { merge_method: "ties", models: {} },
      { merge_method: "ties", models: [{}] },
      { merge_method: "ties", models: [{ model: "a", parameters: [] }] },
      { merge_method: "ties", sources: { a: 3 } },
    ]
  ) {
    assertEquals(recipeOf(value), undefined, JSON.stringify(value));
    assert(checkRecipe(value) !== undefined, JSON.stringify(value));
  }
  assertEquals(checkRecipe(TIES), undefined);
  const wrong = checkRecipe(withParameter(TIES, 0, "density", 1.5));
  assertEquals(wrong?.errors?.[0]?.path, "models[0].parameters.density");
});

Deno.test("controls change what they show and leave the rest", () => {
  assertEquals(usedNames(TIES), ["base", "left", "right"]);
  assertEquals(withParameter(TIES, 0, "weight", 1).models?.[0]?.parameters, {
    weight: 1,
    density: [0.2, 0.8],
  });
  assertEquals(withParameter(TIES, undefined, "normalize", undefined).parameters, undefined);
  const swapped = withBase(TIES, "left");
  assertEquals([swapped.base_model, swapped.models?.map(({ model }) => model)], [
    "left",
    ["base", "right"],
  ]);
  assertEquals(withBase(TIES, undefined).models?.map(({ model }) => model), [
    "base",
    "left",
    "right",
  ]);
  assertEquals(withModel(withModel(TIES, "left", false), "left", true).models?.at(-1), {
    model: "left",
  });
  const renamed = withRenamed(TIES, "left", "links");
  assertEquals(usedNames(renamed), ["base", "links", "right"]);
  assertEquals(renamed.models?.[0]?.parameters, TIES.models?.[0]?.parameters);
  assertEquals(usedNames(withoutName(TIES, "base")), ["left", "right"]);
  assertEquals(usedNames(TIES), ["base", "left", "right"]);
});

Deno.test("names of slices, statistics and graphs are used names too", () => {
  const used = usedNames({
    merge_method: "passthrough",
    slices: [{ sources: [{ model: "a", layer_range: [0, 2] }] }, { sources: [{ model: "b" }] }],
    models: [{ model: "c", statistics: "d" }],
    output: { format: "onnx", graph: "e" },
  });
  assertEquals(used.toSorted(), ["a", "b", "c", "d", "e"]);
});

Deno.test("a recipe's sources are those of the page, and those that the page cannot name stay", () => {
  const file = new File([], "left.safetensors");
  const sources: NamedSource[] = [
    { name: "left", origin: { type: "file", file } },
    { name: "base", origin: { type: "url", url: "https://example.org/base" } },
    { name: "spare", origin: { type: "hub", hub: "org/spare" } },
  ];
  const own = { right: { path: "right.safetensors" }, left: { kind: "task_vector" } };
  const whole = withSources({ ...TIES, sources: own }, sources);
  assertEquals(whole.sources, {
    base: { url: "https://example.org/base" },
    left: { upload: true, kind: "task_vector" },
    right: { path: "right.safetensors" },
  });
  const split = splitSources(whole);
  assertEquals(split.recipe.sources, {
    left: { kind: "task_vector" },
    right: { path: "right.safetensors" },
  });
  assertEquals(split.origins, [
    { name: "base", origin: { type: "url", url: "https://example.org/base" } },
  ]);
  assertEquals(withSources(split.recipe, sources), whole);
  assertEquals(openNames(TIES, sources), ["right"]);
  assertEquals(openNames({ ...TIES, sources: own }, []), ["base", "left"]);
});

Deno.test("a link holds a recipe, short or long, and none of what only its owner should have", async () => {
  const long = {
    ...TIES,
    tensors: { include: Array.from({ length: 200 }, (_, i) => `layers.${i}.*`) },
  };
  for (const given of [TIES, long, { merge_method: "käse", name: "模型" }]) {
    const text = await shareText(given);
    assertEquals(text.startsWith(given === long ? "z=" : "r="), true);
    assert(/^[rz]=[\w-]+$/.test(text));
    assertEquals(await readShareText(`#/merge?${text}`), given);
  }
  assert((await shareText(long)).length < JSON.stringify(long).length / 2);
  const secret = {
    ...TIES,
    sources: {
      left: { upload: true },
      right: { url: "https://example.org/right", headers: { authorization: "Bearer secret" } },
    },
    output: { put: "https://example.org/put?signature=secret" },
  };
  const { recipe: shared, withheld } = shareable(secret);
  assertEquals(shared.sources, { right: { url: "https://example.org/right" } });
  assertEquals(withheld.length, 2);
  assert(!JSON.stringify(shared).includes("secret"));
  // Whoever makes a link by hand cannot have results sent to them, or header fields of theirs.
  assertEquals(await readShareText(await shareText(secret)), JSON.parse(JSON.stringify(shared)));
});

Deno.test("a link that holds no recipe is none, and one that unpacks to too much neither", async () => {
  for (const text of ["", "#/merge", "r=!", "r=aGFsbG8", "z=aGFsbG8", "z=", "r=gICA"]) {
    assertEquals(await readShareText(text), undefined, text);
  }
  const bomb = await shareText({ merge_method: "a".repeat(2_000_000) });
  assert(bomb.length < 10_000);
  assertEquals(await readShareText(bomb), undefined);
  const fits = await shareText({ merge_method: "a".repeat(500_000) });
  assert(await readShareText(fits) !== undefined);
});

Deno.test("a correction is made where the wrong name stands, as a value or as a key", () => {
  assertEquals(keysOf('models[1].parameters["a b"].x-y'), [
    "models",
    1,
    "parameters",
    "a b",
    "x-y",
  ]);
  const fix = (path: string, name: string, wrong?: string) =>
    fixedRecipe(TIES, { path, name, ...(wrong === undefined ? {} : { wrong }) }) as RecipeDocument;
  assertEquals(fix("merge_method", "dare_ties").merge_method, "dare_ties");
  assertEquals(fix("models[1].model", "up", "right").models?.[1]?.model, "up");
  const renamed = fix("models[0].parameters.density", "gamma", "density");
  assertEquals(renamed.models?.[0]?.parameters, { weight: 0.6, gamma: [0.2, 0.8] });
  assertEquals(fix("models[1].model", "up", "left"), undefined);
  assertEquals(fix("models[7].model", "up"), undefined);
  assertEquals(fix("models[0].parameters.density", "weight", "density"), undefined);
});

Deno.test("a result is called what the recipe says, with the ending of its form", () => {
  assertEquals(resultName(TIES), "merged-ties.safetensors");
  assertEquals(resultName({ ...TIES, name: "a/b.safetensors" }), "a_b.safetensors");
  assertEquals(resultName({ ...TIES, name: "x", output: { format: "onnx" } }), "x.onnx");
  assertEquals(resultName({ ...TIES, output: { shard_size: "1GB" } }), "merged-ties.zip");
  assertEquals(resultForm({ ...TIES, output: { put: "https://example.org" } }).isPut, true);
  const put = ["https://a.example/1", "https://a.example/2", "https://b.example/{file}"];
  assertEquals(putHosts({ ...TIES, output: { put } }), ["a.example", "b.example"]);
  assertEquals(putHosts(TIES), []);
  assertEquals(resultForm({ ...TIES, output: { format: "peft" } }).isCheckpoint, false);
});
