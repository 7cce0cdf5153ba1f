import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { checkpointBytes } from "../support/merging.ts";
import { type Files, postRecipe, problemOf } from "../support/merge_requests.ts";
import { testApp, type TestAppOptions } from "../support/service.ts";
import { xmlElements } from "../support/xml.ts";

const digits = (name: string) =>
  Deno.readFileSync(new URL(`../../fixtures/digits/${name}.safetensors`, import.meta.url));
const EXPERTS = ["upright", "left", "upside_down", "right"];

const base = checkpointBytes({
  w: [0, 0, 0, 0],
  "layers.0.weight": { shape: [2, 1], values: [0, 0] },
});
const a = checkpointBytes({
  w: [3, 0, 0, 4],
  "layers.0.weight": { shape: [2, 1], values: [1, 0] },
});
const b = checkpointBytes({
  w: [-3, 0, 1, 4],
  "layers.0.weight": { shape: [2, 1], values: [0, 2] },
});
const pair = { base_model: "base", models: [{ model: "a" }, { model: "b" }] };
const files: Files = { base, a, b };

/** Runs against an application that must have no fault of its own. */
async function served(
  run: (app: ReturnType<typeof testApp>["app"]) => Promise<void>,
  options: TestAppOptions = {},
): Promise<void> {
  const { app, faults, close } = testApp(options);
  try {
    await run(app);
    assertEquals(faults, []);
  } finally {
    await close();
  }
}

Deno.test("POST /analyze answers numbers, a table and pictures", () =>
  served(async (app) => {
    const json = await postRecipe(app, "/analyze", { ...pair, spectrum: true }, files);
    assertEquals([json.status, json.headers.get("content-type")], [200, "application/json"]);
    const found = await json.json();
    assertEquals([found.base, found.models, found.operand], ["base", ["a", "b"], "task_vectors"]);
    const w = found.tensors.find(({ name }: { name: string }) => name === "w");
    assertEquals(w.norms, {
      base: 0,
      models: [5, Math.sqrt(26)],
      task_vectors: [5, Math.sqrt(26)],
    });
    assertEquals(w.conflict.elements, 0.25);
    // 3 against -3: the sum is 0 and counts as positive, so one of them is outvoted.
    assertEquals(w.conflict.mass, 1 - 12 / 15);
    assertEquals(w.sign_agreement.elements, [1, 2 / 3]);
    const matrix = found.tensors.find(({ layer }: { layer: string }) => layer === "layers.0");
    assertEquals(matrix.spectrum, {
      effective_rank: [1, 1],
      stable_rank: [1, 1],
      interference: null,
    });

    const accepting = (accept: string, path = "/analyze") => {
      const body = new FormData();
      body.append("recipe", new Blob([JSON.stringify(pair)], { type: "application/json" }), "r");
      for (const [name, bytes] of Object.entries(files)) body.append(name, new Blob([bytes]), name);
      return app.request(path, { method: "POST", body, headers: { accept } });
    };
    const csv = await accepting("text/csv");
    assertEquals(csv.headers.get("content-type"), "text/csv; charset=utf-8");
    assertStringIncludes(await csv.text(), "\r\ntotal,,a,6,");
    const pictures = new Map<string, string>();
    for (
      const name of [
        "",
        "?picture=cosines",
        "?picture=layers",
        "?picture=magnitudes",
        "?picture=conflict",
      ]
    ) {
      const svg = await accepting("image/svg+xml, application/json;q=0.5", `/analyze${name}`);
      assertEquals([svg.status, svg.headers.get("content-type")], [
        200,
        "image/svg+xml; charset=utf-8",
      ]);
      const text = await svg.text();
      assertEquals(xmlElements(text)[0]!.name, "svg");
      pictures.set(name, text);
    }
    assertEquals(new Set(pictures.values()).size, 5);
    const refused = await problemOf(await accepting("text/html"));
    assertEquals([refused.kind, refused.status], ["not-acceptable", 406]);
    assertStringIncludes(refused.detail, "image/svg+xml");
    const strange = await problemOf(await accepting("image/svg+xml", "/analyze?picture=cosine"));
    assertEquals([strange.kind, strange.status], ["invalid-request", 400]);
    assertStringIncludes(strange.detail, 'did you mean "cosines"');
  }));

Deno.test("POST /analyze reads YAML, stored checkpoints, and recipes as they are", () =>
  served(async (app) => {
    const sources: Record<string, unknown> = {};
    for (const [name, bytes] of Object.entries(files)) {
      const stored = await app.request("/checkpoints", { method: "POST", body: bytes });
      sources[name] = { checkpoint: (await stored.json()).id };
    }
    const yaml = `
merge_method: ties
base_model: base
models:
  - model: a
    parameters: { density: 0.5, weight: 0.3 }
  - model: b
parameters: { normalize: true }
dtype: bfloat16
tensors: { include: ["layers.*"], exclude: [] }
sources: ${JSON.stringify(sources)}
`;
    const response = await app.request("/analyze", {
      method: "POST",
      body: yaml,
      headers: { "content-type": "application/yaml" },
    });
    assertEquals(response.status, 200);
    const { tensors, skipped, total } = await response.json();
    assertEquals(tensors.map(({ name }: { name: string }) => name), ["layers.0.weight"]);
    assertEquals(skipped, [{ name: "w", reason: "unselected" }]);
    assertEquals(total.norms.task_vectors, [1, 2]);
  }));

Deno.test("POST /analyze takes slices: blocks of several models side by side", () =>
  served(async (app) => {
    const two = (first: number) =>
      checkpointBytes({ "layers.0.w": [first, 0], "layers.1.w": [first + 1, 1] });
    const response = await postRecipe(app, "/analyze", {
      base_model: "base",
      slices: [
        { sources: [{ model: "base", layer_range: [0, 1] }, { model: "a", layer_range: [1, 2] }] },
        { sources: [{ model: "base", layer_range: [0, 1] }, { model: "b", layer_range: [0, 1] }] },
      ],
    }, { base: two(0), a: two(5), b: two(9) });
    assertEquals(response.status, 200, response.ok ? "" : await response.text());
    const { models, tensors } = await response.json();
    assertEquals(models, ["a", "b"]);
    assertEquals(
      tensors.map(({ name, norms, missing }: {
        name: string;
        norms: { task_vectors: number[] };
        missing: string[];
      }) => [name, norms.task_vectors, missing]),
      [["layers.0.w", [Math.sqrt(37), 0], ["b"]], ["layers.1.w", [0, 9], ["a"]]],
    );
  }));

Deno.test("digits: four experts are nearly orthogonal, and the joint network lies between them", () =>
  served(async (app) => {
    const models = [...EXPERTS, "joint"];
    const uploads = Object.fromEntries(["base", ...models].map((name) => [name, digits(name)]));
    const response = await postRecipe(app, "/analyze", {
      base_model: "base",
      models: models.map((model) => ({ model })),
      spectrum: true,
    }, uploads);
    assertEquals(response.status, 200);
    const { total, layers, tensors } = await response.json();
    assertEquals(total.elements, 13_098);
    assertEquals(layers.map(({ name }: { name: string }) => name), [
      "layers.0",
      "layers.1",
      "layers.2",
    ]);
    for (let i = 0; i < 4; i++) {
      for (let k = 0; k < i; k++) assert(total.cosines[i][k] > 0 && total.cosines[i][k] < 0.2);
      assert(total.cosines[4][i] > 0.2, "what was tuned on all parts has something of each");
    }
    const [first] = tensors.filter(({ shape }: { shape: number[] }) => shape.length === 2);
    for (const rank of first.spectrum.effective_rank) assert(rank > 10 && rank < 64);
    assert(first.spectrum.interference > 0);
  }, { chunkElements: 4096, workers: 2 }));

Deno.test("POST /analyze refuses what it cannot compare, and says how to mend it", () =>
  served(async (app) => {
    const refused = async (recipe: unknown, uploads: Files = files) =>
      await problemOf(await postRecipe(app, "/analyze", recipe, uploads));
    const faults = async (recipe: unknown, uploads: Files = files) => {
      const { kind, errors = [] } = await refused(recipe, uploads);
      return [kind, ...errors.map(({ path, message }) => `${path}: ${message}`)];
    };
    const cases: [recipe: unknown, expected: string[]][] = [
      [{ ...pair, spectrm: true }, [
        "invalid-recipe",
        'spectrm: Cannot use the key as it is unknown here, did you mean "spectrum"',
      ]],
      [{ ...pair, spectrum: "yes" }, [
        "invalid-recipe",
        "spectrum: Cannot use spectrum as it must be true, false or a map",
      ]],
      [{ ...pair, spectrum: { maximum_elements: 0 } }, [
        "invalid-recipe",
        "spectrum.maximum_elements: ",
      ]],
      [{ ...pair, spectrum: { maximum_elements: 2 ** 24 + 1 } }, [
        "invalid-recipe",
        "spectrum.maximum_elements: ",
      ]],
      [{ ...pair, merge_method: "tis" }, [
        "unknown-method",
        'merge_method: Cannot read the recipe as there is no such method, did you mean "ties"',
      ]],
      [{ ...pair, merge_method: 3, model: [] }, ["invalid-recipe", "model: ", "merge_method: "]],
      [{ base_model: "base" }, ["invalid-recipe", "models: "]],
      [{ base_model: "base", models: [] }, [
        "invalid-recipe",
        "models: Cannot merge as analysis takes at least 1 model",
      ]],
      [{ base_model: "base", models: [{ model: "base" }] }, ["invalid-recipe", "models: "]],
      [{ ...pair, base_model: "bas" }, ["unknown-source", "base_model: "]],
      [{ base_model: "base", models: [{ model: "a" }, { model: "a" }] }, [
        "invalid-recipe",
        "models[1].model: ",
      ]],
      [[], ["invalid-recipe", ": Cannot use the recipe as it must be a map"]],
      [{
        models: [{ model: "a" }, { model: "b" }],
        sources: { a: { upload: true, kind: "task_vector" } },
      }, ["invalid-recipe", "base_model: "]],
    ];
    for (const [recipe, expected] of cases) {
      const names = JSON.stringify(recipe);
      const uploads = Object.fromEntries(
        Object.entries(files).filter(([name]) => names.includes(`"${name}"`)),
      );
      const found = await faults(recipe, Object.keys(uploads).length > 0 ? uploads : files);
      assertEquals(found.length, expected.length, `${names}: ${found.join("; ")}`);
      expected.forEach((start, i) =>
        assert(found[i]!.startsWith(start), `${found[i]} begins not with ${start}`)
      );
    }

    const other = checkpointBytes({
      w: [1, 2, 3],
      "layers.0.weight": { shape: [2, 1], values: [1, 1] },
    });
    const mismatch = await refused(pair, { base, a, b: other });
    assertEquals([mismatch.kind, mismatch.status], ["mismatch", 422]);
    const lacking = await refused(pair, { base, a, b: checkpointBytes({ w: [1, 2, 3, 4] }) });
    assertEquals(lacking.kind, "mismatch");
    const damaged = await refused(pair, { base, a, b: new Uint8Array([1, 2, 3]) });
    assert(["invalid-checkpoint", "unsupported-format"].includes(damaged.kind), damaged.kind);
    const nan = checkpointBytes({
      w: [NaN, 2, 3, 4],
      "layers.0.weight": { shape: [2, 1], values: [1, 1] },
    });
    const strict = await refused({ ...pair, non_finite: "error" }, { base, a, b: nan });
    assertEquals([strict.kind, strict.source, strict.tensor, strict.index], [
      "non-finite",
      "b",
      "w",
      0,
    ]);
    const counted = await postRecipe(app, "/analyze", pair, { base, a, b: nan });
    assertEquals((await counted.json()).non_finite, [0, 1]);
    const get = await app.request("/analyze");
    assertEquals([get.status, get.headers.get("allow")], [405, "POST"]);
  }));

Deno.test("POST /analyze with one model, and without a base", () =>
  served(async (app) => {
    const one = await postRecipe(
      app,
      "/analyze",
      { base_model: "base", models: [{ model: "a" }] },
      { base, a },
    );
    assertEquals((await one.json()).total.conflict, { elements: 0, mass: 0 });
    const weights = await postRecipe(
      app,
      "/analyze",
      { models: [{ model: "a" }, { model: "b" }] },
      { a, b },
    );
    const found = await weights.json();
    assertEquals([found.operand, found.base, found.total.norms.base], ["weights", null, null]);
    assertEquals(found.total.norms.models, found.total.norms.task_vectors);
  }));
