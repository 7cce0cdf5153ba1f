import { assertEquals, assertStringIncludes } from "@std/assert";
import { parseTask, type TaskDocument, TaskSchema } from "../../core/atm/task_document.ts";
import { checkDocument } from "../../core/merge/document_form.ts";
import type { Fault } from "../../core/problem.ts";

/** Reads a task as the documents that hold one do. */
function read(document: unknown): { readonly task?: TaskDocument; readonly faults: Fault[] } {
  const form = checkDocument({ schema: TaskSchema, noun: "the task" }, document);
  const faults = [...form.faults];
  if (form.output === undefined) return { faults };
  return { task: parseTask(form.output, "task", faults), faults };
}

const LEAST = { name: "t", shard: "s", target: { from: "y" }, loss: "cross_entropy" };

Deno.test("the task of API.md is read", () => {
  const { task, faults } = read({
    name: "mnist",
    shard: "mnist-tune",
    inputs: {
      image: { from: "x", scale: 0.00392156862745098, offset: 0, shape: [-1, 1, 28, 28] },
    },
    target: { from: "y" },
    output: "logits",
    loss: "cross_entropy",
    parameters: "mnist-head",
    weight: 1,
    select: "mnist-select",
    test: "mnist-test",
    participant: { url: "https://site-a.example", shard: "sha256:ab" },
  });
  assertEquals(faults, []);
  const { loss, ...rest } = task!;
  assertEquals(loss.name, "cross_entropy");
  assertEquals(rest, {
    name: "mnist",
    shard: "mnist-tune",
    inputs: { image: { from: "x", scale: 1 / 255, offset: 0, shape: [-1, 1, 28, 28] } },
    target: { from: "y" },
    output: "logits",
    parameters: "mnist-head",
    weight: 1,
    select: "mnist-select",
    test: "mnist-test",
    participant: {
      url: "https://site-a.example",
      shard: "sha256:ab",
      headers: {},
      timeout: 60,
    },
  });
});

Deno.test("what is left out has its default, and names stand for maps", () => {
  const { loss: _, ...least } = read({ ...LEAST, inputs: { a: "x", b: { from: "z" } } }).task!;
  assertEquals(least, {
    name: "t",
    shard: "s",
    inputs: { a: { from: "x", scale: 1, offset: 0 }, b: { from: "z", scale: 1, offset: 0 } },
    target: { from: "y" },
    weight: 1,
  });
  const nothing = { inputs: null, output: null, parameters: null, weight: null, select: null };
  const { task, faults } = read({ ...LEAST, ...nothing, target: "y" });
  assertEquals(faults, []);
  assertEquals([task!.inputs, task!.target, task!.weight], [{}, { from: "y" }, 1]);
});

Deno.test("a participant's shard stands where no other is named", () => {
  const participant = { url: "http://127.0.0.1:8001", shard: "there" };
  const { shard: _, ...rest } = LEAST;
  assertEquals(read({ ...rest, participant }).task!.shard, "there");
});

type Case = readonly [change: Record<string, unknown>, path: string, ...parts: string[]];

const WRONG: Readonly<Record<string, Case>> = {
  "no name": [{ name: undefined }, "name", "name is missing"],
  "a name with a line break": [{ name: "a\nb" }, "name", "without control characters", "a\\nb"],
  "no shard": [{ shard: undefined }, "task.shard", "shard is missing"],
  "no target": [{ target: undefined }, "target", "target is missing"],
  "no loss": [{ loss: undefined }, "loss", "loss is missing"],
  "an unknown key": [{ ouput: "x" }, "ouput", 'did you mean "output"', 'current value is "ouput"'],
  "an unknown key of an input": [
    { inputs: { image: { from: "x", scal: 2 } } },
    "inputs.image.scal",
    'did you mean "scale"',
  ],
  "an unknown key of the target": [
    { target: { form: "y", from: "y" } },
    "target.form",
    'did you mean "from"',
  ],
  "an input from nowhere": [{ inputs: { image: {} } }, "inputs.image.from", "from is missing"],
  "an input that is a number": [{ inputs: { image: 3 } }, "inputs.image", "the name of an array"],
  "a scale that is text": [
    { inputs: { image: { from: "x", scale: "1/255" } } },
    "inputs.image.scale",
    "a number that float32 can hold",
  ],
  "a scale beyond float32": [
    { inputs: { image: { from: "x", scale: 1e39 } } },
    "inputs.image.scale",
    "a number that float32 can hold",
  ],
  "an offset that is no number": [
    { inputs: { image: { from: "x", offset: Infinity } } },
    "inputs.image.offset",
    "a number that float32 can hold",
  ],
  "a shape without the rows": [
    { inputs: { image: { from: "x", shape: [1, 28, 28] } } },
    "inputs.image.shape",
    "-1 for the rows, then integers from 1 on",
  ],
  "a shape with a second free size": [
    { inputs: { image: { from: "x", shape: [-1, -1, 28] } } },
    "inputs.image.shape",
    "-1 for the rows, then integers from 1 on",
  ],
  "a shape with half a size": [
    { inputs: { image: { from: "x", shape: [-1, 0.5] } } },
    "inputs.image.shape",
    "then integers from 1 on",
  ],
  "an unknown loss": [{ loss: "huber" }, "loss", '"cross_entropy"', 'current value is "huber"'],
  "an unknown option of the loss": [
    { loss: { name: "cross_entropy", label_smothing: 0.1 } },
    "loss.label_smothing",
    'did you mean "label_smoothing"',
  ],
  "an option of another loss": [
    { loss: { name: "mse", ignore_index: 0 } },
    "loss.ignore_index",
    'current value is "ignore_index"',
  ],
  "a negative weight": [{ weight: -1 }, "weight", "from 0 on", "current value is -1"],
  "an infinite weight": [{ weight: Infinity }, "weight", "from 0 on"],
  "a participant without address": [
    { participant: { url: "ftp://x", shard: "s" } },
    "participant.url",
    "an http or https URL",
  ],
  "a participant's header that cannot be sent": [
    { participant: { url: "http://x", shard: "s", headers: { "x-key": "ключ" } } },
    "task.participant.headers",
    "a header field that can be sent",
    'current value is "x-key"',
  ],
  "a select shard that is tuned on": [{ select: "s" }, "task.select", "another source than shard"],
  "a test shard that selects": [
    { select: "v", test: "v" },
    "task.test",
    "another source than select",
    'current value is "v"',
  ],
  "a reserved input": [
    { inputs: JSON.parse('{"__proto__":"x"}') },
    "inputs.__proto__",
    "reserved",
  ],
};

for (const [name, [change, path, ...parts]] of Object.entries(WRONG)) {
  Deno.test(`${name} is refused`, () => {
    const { faults } = read({ ...LEAST, ...change });
    assertEquals(faults.map((fault) => fault.path), [path]);
    for (const part of parts) assertStringIncludes(faults[0]!.message, part);
  });
}

Deno.test("every fault of the form is told at once", () => {
  const { faults } = read({
    name: 3,
    inputs: { a: { from: "", scale: "x", of: 1 }, b: { from: "x", shape: [] } },
    target: {},
    loss: "cross_entropy",
    weigth: 2,
  });
  assertEquals(
    new Set(faults.map(({ path }) => path)),
    new Set([
      "inputs.a.from",
      "inputs.a.of",
      "weigth",
      "name",
      "inputs.a.scale",
      "inputs.b.shape",
      "target.from",
    ]),
  );
});
