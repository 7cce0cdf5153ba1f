import { assertEquals, assertStringIncludes } from "@std/assert";
import { inputColumns, openTaskData, type TaskDataOptions } from "../../core/atm/batches.ts";
import type { Shard } from "../../core/atm/shard/shard.ts";
import type { InputBinding, TaskDocument } from "../../core/atm/task_document.ts";
import { memorySource } from "../../core/checkpoint/memory_source.ts";
import { openShard } from "../../core/atm/shard/open_shard.ts";
import { numbersOf } from "../../core/onnx/element_type.ts";
import type { ValueInfo } from "../../core/onnx/model.ts";
import { Problem } from "../../core/problem.ts";
import { caughtProblem } from "../support/caught_problem.ts";
import { arrays, shardOf, texts } from "./made_shard.ts";
import { shardBytes } from "./shard/shard_files.ts";
import { taskOn } from "./made_task.ts";

const SIGNAL = new AbortController().signal;
const IMAGES = shardOf(3, [
  arrays("x", [2, 2], Uint8Array.of(0, 1, 2, 3, 10, 11, 12, 13, 20, 21, 22, 255)),
  arrays("f", [2], Float32Array.of(1, 2, 3, 4, 5, 6)),
  arrays("ids", [3], Int32Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9)),
  arrays("y", [], Uint8Array.of(1, 0, 2)),
  texts("words", ["a", "b", "c"]),
]);
const IMAGE: ValueInfo = { name: "image", type: "float32", shape: ["batch", 1, 2, 2] };
const IDS: ValueInfo = { name: "ids", type: "int64", shape: ["batch", "tokens"] };

function bind(
  inputs: Record<string, Partial<InputBinding> & { from: string }>,
  graph: readonly ValueInfo[],
  shard: Shard = IMAGES,
  task: Partial<TaskDocument> = {},
  options?: TaskDataOptions,
) {
  const given = Object.entries(inputs).map(([name, binding]) => [
    name,
    { scale: 1, offset: 0, ...binding },
  ]);
  return openTaskData(
    shard,
    { ...taskOn("tune", Object.fromEntries(given)), ...task },
    graph,
    options,
  );
}

Deno.test("a batch has what the graph takes, in the order asked", async () => {
  const image = { from: "x", scale: 0.5, offset: -1, shape: [-1, 1, 2, 2] };
  const data = bind({ image }, [IMAGE, IDS]);
  assertEquals(data.rows, 3);
  const typed = [...data.inputs].map(([name, { type, shape }]) => [name, type, shape]);
  assertEquals(typed, [["image", "float32", [1, 2, 2]], ["ids", "int64", [3]]]);
  assertEquals([data.target.type, data.target.shape], ["int64", []]);
  assertEquals(data.batchRows, undefined);

  const { inputs, target } = await data.batch(Uint32Array.of(2, 0), SIGNAL);
  assertEquals(inputs.image!.type, "float32");
  assertEquals(inputs.image!.shape, [2, 1, 2, 2]);
  assertEquals(numbersOf(inputs.image!), [9, 9.5, 10, 126.5, -1, -0.5, 0, 0.5]);
  assertEquals(inputs.ids!.type, "int64");
  assertEquals(inputs.ids!.shape, [2, 3]);
  assertEquals(numbersOf(inputs.ids!), [7, 8, 9, 1, 2, 3]);
  assertEquals(target.shape, [2]);
  assertEquals(numbersOf(target), [2, 1]);
  // By the names of the graph's inputs, so that it does not depend on the order of the graph.
  assertEquals(inputColumns(data), ["ids", "x"].toSorted());
});

Deno.test("targets are class indices for cross-entropy, else numbers", () => {
  assertEquals(bind({}, [IDS]).target.type, "int64");
  for (const name of ["mse", "binary_cross_entropy"] as const) {
    const { loss } = taskOn("tune", {}, name);
    assertEquals(bind({}, [IDS], IMAGES, { loss }).target.type, "float32");
  }
});

Deno.test("a shard of a file feeds a graph as well as one in memory", async () => {
  const shard = await openShard(memorySource(await shardBytes("stored.npz")), "tune");
  const graph: ValueInfo[] = [{ name: "float64", type: "float32", shape: ["N", 2, 3] }];
  const data = bind({}, graph, shard, { target: { from: "int8" }, ...{} });
  const { inputs, target } = await data.batch(Uint32Array.of(1), SIGNAL);
  // Row 1 of ((k * 37 % 101 - 50) / 8), as fixtures/shards/make_shards.py has it.
  const row = [6, 7, 8, 9, 10, 11].map((k) => (k * 37 % 101 - 50) / 8);
  assertEquals(numbersOf(inputs.float64!), row);
  assertEquals([target.type, target.shape], ["int64", [1, 2, 3]]);
});

type Faulty = readonly [
  inputs: Record<string, Partial<InputBinding> & { from: string }>,
  graph: readonly ValueInfo[],
  kind: string,
  path: string,
  ...parts: string[],
];

const FAULTS: Readonly<Record<string, Faulty>> = {
  "an input without an array of its name": [
    {},
    [{ ...IDS, name: "idz" }],
    "invalid-recipe",
    "task.inputs.idz",
    '"idz"',
    'did you mean "ids"',
    "current arrays are x, f, ids, y, words",
  ],
  "an array that is not there": [
    { image: { from: "X1", shape: [-1, 1, 2, 2] } },
    [IMAGE],
    "invalid-recipe",
    "task.inputs.image.from",
    'the shard "tune" has no array "X1"',
    'did you mean "x"',
  ],
  "an input that the graph lacks": [
    { images: { from: "x" } },
    [{ ...IMAGE, name: "x", shape: ["N", 2, 2] }, { ...IDS, name: "ids" }, { ...IMAGE, name: "f" }]
      .slice(0, 2) as ValueInfo[],
    "invalid-recipe",
    "task.inputs.images",
    "no input of this name",
    'current value is "images"',
  ],
  "another rank, with the shape that would do": [
    { image: { from: "x" } },
    [IMAGE],
    "mismatch",
    "task.inputs.image",
    "must be [N, 1, 2, 2]",
    '"shape": [-1,1,2,2] would make of it',
    "current shape is [N, 2, 2]",
  ],
  "another size": [
    { f: { from: "f" } },
    [{ name: "f", type: "float32", shape: ["N", 5] }],
    "mismatch",
    "task.inputs.f",
    "must be [N, 5]",
    "current shape is [N, 2]",
  ],
  "a shape of another number of elements": [
    { image: { from: "x", shape: [-1, 1, 2, 3] } },
    [IMAGE],
    "mismatch",
    "task.inputs.image.shape",
    "has 4 elements",
    "current value is [N, 1, 2, 3]",
  ],
  "sizes of one name that differ": [
    { mask: { from: "f" } },
    [IDS, { name: "mask", type: "float32", shape: ["batch", "tokens"] }],
    "mismatch",
    "task.inputs.mask",
    '"tokens" must be 3, as for "ids"',
    "current value is 2",
  ],
  "a scale for integers": [
    { ids: { from: "ids", scale: 2 } },
    [IDS],
    "invalid-recipe",
    "task.inputs.ids",
    "only inputs of floating-point numbers",
    "current type is int64",
  ],
  "text": [
    { ids: { from: "words" } },
    [IDS],
    "mismatch",
    "task.inputs.ids",
    '"words"',
    "current type is string",
  ],
  "an input that takes no numbers": [
    { ids: { from: "ids" } },
    [{ name: "ids", type: "string", shape: ["N", 3] }],
    "mismatch",
    "task.inputs.ids",
    "must be a tensor of numbers",
    "current type is string",
  ],
  "inputs that fix different numbers of rows": [
    {},
    [{ ...IDS, shape: [4, 3] }, { name: "f", type: "float32", shape: [8, 2] }],
    "mismatch",
    "task.inputs.f",
    "equally many rows",
    "current value of",
  ],
};

for (const [name, [inputs, graph, kind, path, ...parts]] of Object.entries(FAULTS)) {
  Deno.test(`${name}: refused by name`, async () => {
    const problem = await caughtProblem(() => bind(inputs, graph));
    assertEquals(problem.kind, kind);
    assertEquals(problem.members.errors!.map((fault) => fault.path), [path]);
    for (const part of parts) assertStringIncludes(problem.members.errors![0]!.message, part);
  });
}

Deno.test("every fault is told at once, at its path", async () => {
  const problem = await caughtProblem(() =>
    bind(
      { image: { from: "x" }, more: { from: "x" } },
      [IMAGE, { ...IDS, name: "tokens" }],
      IMAGES,
      {},
      {
        path: "tasks[1]",
      },
    )
  );
  assertEquals(problem.kind, "invalid-recipe");
  assertEquals(problem.members.errors!.map(({ path }) => path), [
    "tasks[1].inputs.image",
    "tasks[1].inputs.tokens",
    "tasks[1].inputs.more",
  ]);
});

Deno.test("a target that is not there or no number is refused", async () => {
  const missing = await caughtProblem(() => bind({}, [IDS], IMAGES, { target: { from: "Y" } }));
  assertEquals(missing.kind, "invalid-recipe");
  assertEquals(missing.members.errors![0]!.path, "task.target.from");
  assertStringIncludes(missing.message, 'did you mean "y"');
  const words = await caughtProblem(() => bind({}, [IDS], IMAGES, { target: { from: "words" } }));
  assertStringIncludes(words.message, "current type is string");
});

Deno.test("an array that the shard's reader refused brings its reason", async () => {
  const refused = new Map([[
    "q",
    new Problem("unsupported-dtype", "It is pickled", { tensor: "q" }),
  ]]);
  const shard = { ...IMAGES, refused };
  const problem = await caughtProblem(() => bind({ ids: { from: "q" } }, [IDS], shard));
  assertEquals([problem.kind, problem.message], ["unsupported-dtype", "It is pickled"]);
  assertEquals(problem.members.tensor, "q");
  assertEquals(problem.members.errors!.length, 1);
});

Deno.test("a first dimension that the graph fixes is told", () => {
  assertEquals(bind({}, [{ ...IDS, shape: [2, 3] }]).batchRows, 2);
});

Deno.test("NaN and infinity are refused with shard, array and row", async () => {
  const shard = shardOf(4, [
    arrays("x", [2], Float32Array.of(0, 1, 2, 3, 4, NaN, 6, -Infinity)),
    arrays("y", [], Float64Array.of(0, 1, 1.5, 2)),
  ]);
  const graph: ValueInfo[] = [{ name: "x", type: "float32", shape: ["N", 2] }];
  const data = bind({}, graph, shard);
  assertEquals(numbersOf((await data.batch(Uint32Array.of(1, 0), SIGNAL)).inputs.x!), [2, 3, 0, 1]);
  const nan = await caughtProblem(() => data.batch(Uint32Array.of(3, 1), SIGNAL));
  assertEquals(nan.kind, "non-finite");
  const { source, tensor, row, value } = nan.members;
  assertEquals([source, tensor, row, value], ["tune", "x", 3, "-Infinity"]);
  assertStringIncludes(nan.message, "current value in row 3 is -Infinity");
  const half = await caughtProblem(() => data.target.read([2]));
  assertEquals(half.kind, "mismatch");
  assertStringIncludes(half.message, "must be an integer to be fed as int64");
  assertStringIncludes(half.message, "current value in row 2 is 1.5");
});
