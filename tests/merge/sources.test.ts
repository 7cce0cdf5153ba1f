import { assertEquals } from "@std/assert";
import { METHODS } from "../../core/methods/mod.ts";
import { parseRecipe, resolveSources } from "../../core/merge/recipe.ts";
import { caughtProblem } from "../support/caught_problem.ts";

const ID = `sha256:${"0f".repeat(32)}` as const;

function resolve(sources: unknown, uploads: string[], models = ["a", "b"]) {
  const recipe = parseRecipe({
    merge_method: "ties",
    base_model: "base",
    models: models.map((model) => ({ model })),
    sources,
  }, METHODS);
  return resolveSources(recipe, { uploads });
}

Deno.test("resolveSources() says where every model's bytes are", () => {
  const specs = resolve(
    {
      a: { url: "https://example.org/a", headers: { authorization: "x" }, kind: "task_vector" },
      b: { checkpoint: ID },
      c: { path: "c.safetensors" },
      d: { upload: true },
    },
    ["base", "d"],
    ["a", "b", "c", "d", ID],
  );
  assertEquals(Object.fromEntries(specs), {
    base: { type: "upload", part: "base" },
    a: {
      type: "url",
      url: "https://example.org/a",
      headers: { authorization: "x" },
      kind: "task_vector",
    },
    b: { type: "checkpoint", id: ID },
    c: { type: "path", path: "c.safetensors" },
    d: { type: "upload", part: "d" },
    [ID]: { type: "checkpoint", id: ID },
  });
});

Deno.test("resolveSources() refuses unknown names with the nearest ones", async () => {
  const problem = await caughtProblem(() =>
    resolve({ maths: { path: "m" } }, ["base", "code"], ["math", "code", "zzz"])
  );
  assertEquals(problem.kind, "unknown-source");
  assertEquals(problem.members.nearest, { math: "maths" });
  assertEquals(problem.members.errors, [
    {
      path: "models[0].model",
      message: "Cannot find the source as it has neither an entry in sources nor an upload part, " +
        'did you mean "maths": current value is "math"',
    },
    {
      path: "models[2].model",
      message: "Cannot find the source as it has neither an entry in sources nor an upload part: " +
        'current value is "zzz"',
    },
  ]);
});

Deno.test("resolveSources() says how a repository of the hub is named", async () => {
  const problem = await caughtProblem(() => resolve({}, ["base"], ["org/name", "./folder"]));
  assertEquals(problem.members.errors, [
    {
      path: "models[0].model",
      message: "Cannot find the source as it has neither an entry in sources nor an upload part; " +
        'for a repository of the hub write { "hub": "org/name" } for it under sources: ' +
        'current value is "org/name"',
    },
    {
      path: "models[1].model",
      message: "Cannot find the source as it has neither an entry in sources nor an upload part: " +
        'current value is "./folder"',
    },
  ]);
});

Deno.test("resolveSources() refuses an upload entry without its part", async () => {
  const problem = await caughtProblem(() => resolve({ a: { upload: true } }, ["base", "b"]));
  assertEquals(problem.kind, "unknown-source");
  assertEquals(problem.members.errors, [{
    path: "sources.a",
    message:
      'Cannot read the source as the request has no file part of its name: current value is "a"',
  }]);
});

Deno.test("resolveSources() refuses parts that nothing uses", async () => {
  const problem = await caughtProblem(() =>
    resolve({ b: { checkpoint: ID } }, ["base", "a", "b", "c"])
  );
  assertEquals(problem.kind, "invalid-recipe");
  assertEquals(problem.members.errors, [
    {
      path: "b",
      message: "Cannot use the file part as sources says that its name stands for a checkpoint: " +
        'current value is "b"',
    },
    {
      path: "c",
      message: "Cannot use the file part as the document uses no source of its name: " +
        'current value is "c"',
    },
  ]);
});

Deno.test("resolveSources() points a misspelt part to the name that lacks one", async () => {
  const problem = await caughtProblem(() =>
    resolve({}, ["base", "code", "mahts"], ["maths", "code"])
  );
  assertEquals(problem.kind, "invalid-recipe");
  assertEquals(problem.members.errors?.map(({ path }) => path), ["models[0].model", "mahts"]);
  assertEquals(
    problem.members.errors?.[1]?.message,
    "Cannot use the file part as the document uses no source of its name, did you mean " +
      '"maths": current value is "mahts"',
  );
});

Deno.test("resolveSources() takes names of prototypes as names", async () => {
  const problem = await caughtProblem(() => resolve({}, ["base", "b"], ["toString", "b"]));
  assertEquals(problem.kind, "unknown-source");
  const specs = resolve({}, ["base", "toString"], ["toString"]);
  assertEquals(specs.get("toString"), { type: "upload", part: "toString" });
});
