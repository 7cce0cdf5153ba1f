/**
 * Hostile documents: recipes and requests as JSON and as YAML.
 *
 * @module
 */
import fc from "fast-check";
import { stringify } from "yaml";
import { smallRequest } from "../../support/small_model.ts";
import { atmDocument } from "../../support/atm.ts";
import { type Inputs, NAMES, nested, posted, spoiledTree, strange } from "./hostile_input.ts";

const JSON_TYPE = "application/json";
const YAML_TYPE = "application/yaml";
const ID = `sha256:${"0".repeat(64)}`;
const SOURCES = { a: { checkpoint: ID }, b: { url: "https://example.org/b" }, c: { hub: "o/n" } };

const RECIPES: readonly unknown[] = [
  {
    merge_method: "ties",
    base_model: "a",
    models: [
      {
        model: "b",
        parameters: { weight: [{ filter: "mlp", value: [0.2, 0.8] }, 0.4], density: 0.3 },
      },
      { model: "c", parameters: { weight: 0.5 } },
    ],
    parameters: { normalize: true, lambda: 1 },
    out_dtype: "bfloat16",
    seed: 42,
    tensors: { include: ["model.*"], exclude: ["*.bias"], otherwise: "base" },
    sources: SOURCES,
  },
  {
    merge_method: "slerp",
    base_model: "a",
    slices: [{
      sources: [{ model: "a", layer_range: [0, 8] }, { model: "b", layer_range: [0, 8] }],
    }],
    parameters: { t: [0, 0.5, 1] },
    output: { format: "safetensors", shard_size: "2GB", put: "https://example.org/put" },
    sources: SOURCES,
  },
  {
    merge_method: "dare_ties",
    base_model: "a",
    models: ["b", "c"].map((model) => ({ model, parameters: { weight: 1, density: 0.5 } })),
    mismatch: "skip",
    missing: "drop",
    extra: "copy",
    non_finite: "propagate",
    saturate: true,
    compat: "mergekit",
    rng: "mt19937",
    sources: SOURCES,
  },
];
const REQUESTS: readonly (readonly [string, unknown])[] = [
  ["/tune", smallRequest({ sources: { net: SOURCES.a, start: SOURCES.a, rows: SOURCES.b } })],
  ["/atm", atmDocument({ sources: { net: SOURCES.a, start: SOURCES.a } })],
  ["/evaluate", {
    model: "a",
    checkpoints: ["b"],
    tasks: [{ name: "t", shard: "c", target: "y", loss: "mse" }],
    sources: SOURCES,
  }],
  ["/task-vectors", { base: "a", model: "b", negate: false, sources: SOURCES }],
  ["/analyze", { base_model: "a", models: [{ model: "b" }, { model: "c" }], sources: SOURCES }],
  ["/statistics", {
    model: "a",
    start: "b",
    kind: "gram",
    rows: 8,
    tasks: [{ name: "t", shard: "c", target: "y", loss: "mse" }],
    sources: SOURCES,
  }],
];

/** JSON that no serializer writes. */
const oddJson = fc.oneof(
  fc.constantFrom(
    "1e400",
    "-0",
    "0x10",
    "01",
    "Infinity",
    "NaN",
    "1_000",
    "9".repeat(1000),
    ".5",
    "1e-400",
  ).chain(
    (number) => spoiledTree(RECIPES).map((tree) => text(tree).replace(/\d+(\.\d+)?/, number)),
  ),
  spoiledTree(RECIPES).map((tree) => text(tree).slice(0, -1)),
  spoiledTree(RECIPES).map((tree) => text(tree).replace("{", '{"merge_method":"linear",')),
  spoiledTree(RECIPES).map((tree) => text(tree).replaceAll('"', "'")),
  fc.nat(100_000).map((depth) => "[".repeat(depth)),
  fc.nat(30_000).map((depth) => `{"models":${"[".repeat(depth)}${"]".repeat(depth)}}`),
  fc.nat(20_000).map((depth) => `${'{"models":'.repeat(depth)}1${"}".repeat(depth)}`),
  fc.constantFrom(...NAMES).map((name) =>
    `{${JSON.stringify(name)}:1,"__proto__":{"merge_method":"linear"}}`
  ),
  fc.string({ unit: "binary", maxLength: 200 }),
  strange.map(text),
);

function text(value: unknown): string {
  return JSON.stringify(value) ?? "null";
}

/** Documents as JSON. */
export const jsonInputs: Inputs = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.tuple(spoiledTree(RECIPES), fc.constantFrom("/merge", "/plan")).map((
      [tree, path],
    ) => posted(path, JSON_TYPE, text(tree))),
  },
  {
    weight: 3,
    arbitrary: fc.nat(REQUESTS.length - 1).chain((which) => {
      const [path, document] = REQUESTS[which]!;
      return spoiledTree([document]).map((tree) => posted(path, JSON_TYPE, text(tree)));
    }),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(oddJson, fc.nat(REQUESTS.length)).map(([text, which]) =>
      posted(REQUESTS[which]?.[0] ?? "/plan", JSON_TYPE, text)
    ),
  },
  {
    weight: 1,
    arbitrary: fc.uint8Array({ maxLength: 200 }).map((bytes) =>
      posted("/plan", JSON_TYPE, new Uint8Array(bytes))
    ),
  },
);

/** Aliases of aliases: `width` to the power of `depth` values from a few lines. */
function bomb(depth: number, width: number, flow: boolean): string {
  const lines = [`a0: &a0 ${flow ? "[x]" : "{k: x}"}`];
  for (let i = 1; i <= depth; i++) {
    const aliases = Array.from(
      { length: width },
      (_, at) => flow ? `*a${i - 1}` : `k${at}: *a${i - 1}`,
    );
    lines.push(`a${i}: &a${i} ${flow ? "[" : "{"}${aliases.join(", ")}${flow ? "]" : "}"}`);
  }
  return `${lines.join("\n")}\nmodels: *a${depth}\n`;
}

const TRICKS = [
  "&a [*a]",
  "&a {k: *a}",
  "models: &m\n  - *m\n",
  "merge_method: *missing\n",
  "<<: *a\n",
  "a: &a {merge_method: linear}\n<<: *a\nmodels: []\n",
  "a: &a {x: 1}\n<<: [*a, *a, {<<: *a}]\n",
  "merge_method: !!js/function 'function () { return 1 }'\n",
  "merge_method: !!python/object/apply:os.system ['true']\n",
  "merge_method: !!binary aGVsbG8=\n",
  "models: !!set {a, b}\n",
  "models: !!omap [a: 1, b: 2]\n",
  "seed: !!int '12'\n",
  "seed: 0o777777777777777777777777777777777\n",
  "seed: 0xffffffffffffffffffffffffffffffff\n",
  "seed: 1e999999\n",
  "seed: .nan\n",
  "seed: -.inf\n",
  "seed: 2026-02-30\n",
  "seed: 190:20:30\n",
  "? {a: 1}\n: {b: 2}\n",
  "? [a, b]\n: c\n",
  "? - a\n  - b\n: c\n",
  "%YAML 9.9\n---\na: 1\n",
  "%TAG ! tag:example.org,2000:\n---\n!x a\n",
  "---\na: 1\n---\nb: 2\n",
  "...\n",
  "\tmerge_method: linear\n",
  "a: |\n  x\n b: y\n",
  "a: >9\n x\n",
  "__proto__: {merge_method: linear}\nconstructor: 1\n",
  "a: 'unended\n",
  'a: "\\x"\n',
  'a: "\\ud800"\n',
  "a: @x\n",
  "a: `x`\n",
  "{a: 1, a: 2}\n",
  "null: 1\ntrue: 2\n1: 3\n",
  "\ufeffmerge_method: linear\n",
  "a: \u0000\n",
  "\u2028\u2029\u0085",
] as const;

const yamlText: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: spoiledTree(RECIPES).map((tree) => safeYaml(tree)) },
  {
    weight: 3,
    arbitrary: fc.tuple(
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 2, max: 12 }),
      fc.boolean(),
    ).map(
      ([depth, width, flow]) => bomb(depth, width, flow),
    ),
  },
  {
    weight: 3,
    arbitrary: fc.array(fc.constantFrom(...TRICKS), { minLength: 1, maxLength: 3 }).map((all) =>
      all.join("")
    ),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(spoiledTree(RECIPES), fc.constantFrom(...TRICKS)).map(([tree, trick]) =>
      `${safeYaml(tree)}${trick}`
    ),
  },
  { weight: 1, arbitrary: fc.nat(20_000).map((depth) => "[".repeat(depth)) },
  { weight: 1, arbitrary: fc.nat(5000).map((depth) => "- ".repeat(depth)) },
  {
    weight: 1,
    arbitrary: fc.nat(5000).map((depth) => `${"{a: ".repeat(depth)}1${"}".repeat(depth)}`),
  },
  {
    weight: 1,
    arbitrary: fc.nat(300).map((depth) =>
      Array.from({ length: depth }, (_, i) => `${" ".repeat(i)}a:`).join("\n")
    ),
  },
  { weight: 1, arbitrary: fc.nat(40).map((depth) => safeYaml(nested(depth))) },
  {
    weight: 1,
    arbitrary: fc.nat(20_000).map((many) =>
      Array.from({ length: many }, (_, i) => `&x${i} a${i}: 1`).join("\n")
    ),
  },
  { weight: 1, arbitrary: fc.nat(5000).map((many) => `a: &a x\nmodels: [${"*a, ".repeat(many)}]`) },
  { weight: 2, arbitrary: fc.string({ unit: "binary", maxLength: 200 }) },
  {
    weight: 1,
    arbitrary: fc.string({
      unit: fc.constantFrom(..."&*!|>%@`?:-[]{},#'\"\\ \n\ta1"),
      maxLength: 80,
    }),
  },
);

function safeYaml(tree: unknown): string {
  try {
    return stringify(tree);
  } catch {
    return text(tree);
  }
}

/** Documents as YAML. */
export const yamlInputs: Inputs = fc.tuple(
  yamlText,
  fc.constantFrom("/plan", "/plan", "/merge", "/tune", "/atm", "/analyze"),
).map(([text, path]) => posted(path, YAML_TYPE, text));
