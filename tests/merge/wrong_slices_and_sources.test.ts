import { assertEquals } from "@std/assert";
import { METHODS } from "../../core/methods/mod.ts";
import { parseRecipe } from "../../core/merge/recipe.ts";
import { caughtProblem } from "../support/caught_problem.ts";

const TIES = { merge_method: "ties", base_model: "base", models: [{ model: "a" }, { model: "b" }] };
const STACK = {
  merge_method: "passthrough",
  slices: [{ sources: [{ model: "a", layer_range: [0, 2] }] }],
};
const ID = `sha256:${"0".repeat(64)}`;

/** What is wrong, the document, and its only fault. */
const CASES: readonly [name: string, document: unknown, path: string, message: string][] = [
  [
    "a kind that there is not",
    { ...TIES, sources: { a: { upload: true, kind: "adaptor" } } },
    "sources.a.kind",
    'Cannot use kind as it must be "weights", "task_vector", "adapter" or "statistics": ' +
    'current value is "adaptor"',
  ],
  [
    "a source in two places",
    { ...TIES, sources: { a: { upload: true, checkpoint: ID } } },
    "sources.a",
    "Cannot use the source as exactly one of upload, checkpoint, url, path, hub must say where it is: " +
    "current value is upload, checkpoint",
  ],
  [
    "a source in no place",
    { ...TIES, sources: { a: {} } },
    "sources.a",
    "Cannot use the source as exactly one of upload, checkpoint, url, path, hub must say where it is: " +
    "current value is none",
  ],
  [
    "a URL of another scheme",
    { ...TIES, sources: { a: { url: "file:///etc/passwd" } } },
    "sources.a.url",
    'Cannot use url as it must be an http or https URL: current value is "file:///etc/passwd"',
  ],
  [
    "an id that is too short",
    { ...TIES, sources: { a: { checkpoint: "sha256:abc" } } },
    "sources.a.checkpoint",
    "Cannot use checkpoint as it must be sha256: and 64 lower-case hexadecimal digits: " +
    'current value is "sha256:abc"',
  ],
  [
    "headers without URL",
    { ...TIES, sources: { a: { upload: true, headers: { authorization: "secret" } } } },
    "sources.a.headers",
    'Cannot use headers as only a url or hub takes them: current value is ["authorization"]',
  ],
  [
    "headers that cannot be sent",
    { ...TIES, sources: { a: { url: "https://example.org/a", headers: { "x-key": "ключ" } } } },
    "sources.a.headers",
    'Cannot use headers as each must be a header field that can be sent: current value is "x-key"',
  ],
  [
    "sources as a list",
    { ...TIES, sources: [{ a: { upload: true } }] },
    "sources",
    'Cannot use sources as it must be a map: current value is [{"a":{"upload":true}}]',
  ],
  [
    "a source as a list",
    { ...TIES, sources: { a: [{ upload: true }] } },
    "sources.a",
    'Cannot use a as it must be a map: current value is [{"upload":true}]',
  ],
  [
    "a repository that is none",
    { ...TIES, sources: { a: { hub: "https://hub.example/a" } } },
    "sources.a.hub",
    "Cannot use hub as it must be a repository such as org/name: " +
    'current value is "https://hub.example/a"',
  ],
  [
    "a revision without hub",
    { ...TIES, sources: { a: { upload: true, revision: "main" } } },
    "sources.a.revision",
    'Cannot use revision as only a hub takes it: current value is "main"',
  ],
  [
    "a source named like a prototype",
    JSON.parse(JSON.stringify({ ...TIES, sources: {} }).replace("{}", '{"__proto__":{"x":1}}')),
    "sources.__proto__",
    'Cannot use the name as it is reserved: current value is "__proto__"',
  ],
  [
    "a slice without range",
    { ...STACK, slices: [{ sources: [{ model: "a" }] }] },
    "slices[0].sources[0].layer_range",
    "Cannot read the recipe as layer_range is missing: current value is undefined",
  ],
  [
    "a range of three numbers",
    { ...STACK, slices: [{ sources: [{ model: "a", layer_range: [0, 1, 2] }] }] },
    "slices[0].sources[0].layer_range[2]",
    "Cannot use the entry as it must be a list of two block numbers [first, end): " +
    "current value is 2",
  ],
  [
    "an empty range",
    { ...STACK, slices: [{ sources: [{ model: "a", layer_range: [2, 2] }] }] },
    "slices[0].sources[0].layer_range",
    "Cannot use layer_range as its first block must lie before its end: current value is [2,2]",
  ],
  [
    "sources of different spans",
    {
      merge_method: "linear",
      slices: [{
        sources: [{ model: "a", layer_range: [0, 2] }, { model: "b", layer_range: [0, 3] }],
      }],
    },
    "slices[0].sources[1].layer_range",
    "Cannot use layer_range as it must span 2 blocks like the slice's first source: " +
    "current value is [0,3]",
  ],
  [
    "two models stacked as one",
    {
      ...STACK,
      slices: [{
        sources: [{ model: "a", layer_range: [0, 2] }, { model: "b", layer_range: [0, 2] }],
      }],
    },
    "slices[0].sources",
    "Cannot merge as passthrough takes at most 1 model: current value is 2",
  ],
];

for (const [name, document, path, message] of CASES) {
  Deno.test(`parseRecipe() names ${name}`, async () => {
    const problem = await caughtProblem(() => parseRecipe(document, METHODS));
    assertEquals(problem.members.errors, [{ path, message }]);
    assertEquals(problem.kind, "invalid-recipe");
    assertEquals(problem.message, message);
  });
}
