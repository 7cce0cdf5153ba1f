import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Bytes } from "../../core/checkpoint/byte_source.ts";
import { tensorOf } from "../../core/onnx/element_type.ts";
import { testApp } from "../support/service.ts";
import {
  numbers,
  rows,
  safetensorsOf,
  smallModel,
  smallRequest,
  smallUploads,
  weights,
} from "../support/small_model.ts";
import { postDocument } from "../support/tuning.ts";

interface Refusal {
  readonly name: string;
  readonly request?: Parameters<typeof smallRequest>[0];
  readonly uploads?: Readonly<Record<string, Bytes>>;
  readonly status: number;
  readonly kind: string;
  readonly says: readonly string[];
}

const nan = numbers(80, 5);
nan[4 * 7 + 2] = NaN;

const REFUSALS: readonly Refusal[] = [
  {
    name: "an operator without a rule on the path",
    uploads: { net: smallModel((graph, hidden) => graph.node("Hardmax", [hidden])) },
    status: 422,
    kind: "unsupported-operator",
    says: ["Hardmax", "a.weight", "no backward rule"],
  },
  {
    name: "an operator that ONNX Runtime does not know",
    uploads: { net: smallModel((graph, hidden) => graph.node("Wobble", [hidden])) },
    status: 422,
    kind: "unsupported-operator",
    says: ["ONNX Runtime refuses", "Wobble"],
  },
  {
    name: "everything frozen",
    request: { trainable: { exclude: ["*"] } },
    status: 422,
    kind: "invalid-recipe",
    says: ["at least one tensor must be left"],
  },
  {
    name: "a glob that matches no tensor",
    request: { trainable: { include: ["c.*"] } },
    status: 422,
    kind: "invalid-recipe",
    says: ["must match a tensor", '"c.*"'],
  },
  {
    name: "a class beyond the output",
    uploads: { rows: rows(20, 5, [...Array.from({ length: 19 }, () => 0), 3]) },
    status: 422,
    kind: "mismatch",
    says: ["row 19", "from 0 to 2", "current value is 3"],
  },
  {
    name: "a negative class",
    uploads: { rows: rows(20, 5, [-1, ...Array.from({ length: 19 }, () => 0)]) },
    status: 422,
    kind: "mismatch",
    says: ["row 0", "current value is -1"],
  },
  {
    name: "NaN in the data",
    uploads: {
      rows: safetensorsOf({
        x: tensorOf("float32", [20, 4], nan),
        y: tensorOf("int64", [20], nan.slice(0, 20).map(() => 1)),
      }),
    },
    status: 422,
    kind: "non-finite",
    says: ['"x"', "row 7"],
  },
  {
    name: "an empty shard",
    uploads: {
      rows: safetensorsOf({
        x: tensorOf("float32", [0, 4], []),
        y: tensorOf("int64", [0], []),
      }),
    },
    status: 422,
    kind: "invalid-checkpoint",
    says: ["at least 1 row"],
  },
  {
    name: "a wrong name of an input",
    request: { task: { inputs: { xx: { from: "x" } } } },
    status: 422,
    kind: "invalid-recipe",
    says: ['did you mean "x"', '"xx"'],
  },
  {
    name: "an array that is not in the shard",
    request: { task: { inputs: { x: { from: "z" } } } },
    status: 422,
    kind: "invalid-recipe",
    says: ['"z"'],
  },
  {
    name: "an input of a wrong shape",
    uploads: {
      rows: safetensorsOf({
        x: tensorOf("float32", [20, 5], numbers(100, 3)),
        y: tensorOf("int64", [20], numbers(20, 3).map(() => 0)),
      }),
    },
    status: 422,
    kind: "mismatch",
    says: ["x", "5"],
  },
  {
    name: "a target of a wrong shape",
    uploads: {
      rows: safetensorsOf({
        x: tensorOf("float32", [20, 4], numbers(80, 3)),
        y: tensorOf("int64", [20, 3], numbers(60, 3).map(() => 0)),
      }),
    },
    status: 422,
    kind: "mismatch",
    says: ["target of cross_entropy", "[8]", "[8, 3]"],
  },
  {
    name: "an output that the graph has not",
    request: { task: { output: "logit" } },
    status: 422,
    kind: "mismatch",
    says: ['did you mean "logits"'],
  },
  {
    name: "a start whose tensor has another shape",
    uploads: {
      start: safetensorsOf({
        ...weights(1),
        "a.bias": tensorOf("float32", [6], [1, 2, 3, 4, 5, 6]),
      }),
    },
    status: 422,
    kind: "mismatch",
    says: ["a.bias", "[5]", "[6]"],
  },
  {
    name: "a start of other names and values",
    uploads: { start: safetensorsOf({ w: tensorOf("float32", [2], [1, 2]) }) },
    status: 422,
    kind: "mismatch",
    says: ["no tensor has the name or the values"],
  },
  {
    name: "a start that is a task vector",
    uploads: { start: safetensorsOf(weights(1), { kind: "task_vector" }) },
    status: 422,
    kind: "mismatch",
    says: ["must hold weights", "task_vector"],
  },
  {
    name: "a model that is no ONNX file",
    uploads: { net: safetensorsOf(weights(1)) },
    status: 422,
    kind: "invalid-checkpoint",
    says: ["net"],
  },
  {
    name: "epochs and steps at once",
    request: { local: { epochs: 1, steps: 3 } },
    status: 422,
    kind: "invalid-recipe",
    says: ["steps", "left out where epochs stands"],
  },
  {
    name: "a learning rate of 0",
    request: { local: { optimizer: { name: "sgd", learning_rate: 0 } } },
    status: 422,
    kind: "invalid-recipe",
    says: ["learning_rate", "above 0"],
  },
  {
    name: "nesterov without momentum",
    request: { local: { optimizer: { name: "sgd", learning_rate: 1, nesterov: true } } },
    status: 422,
    kind: "invalid-recipe",
    says: ["nesterov", "false where momentum is 0"],
  },
  {
    name: "an unknown key",
    request: { local: { batchsize: 8 } },
    status: 422,
    kind: "invalid-recipe",
    says: ['did you mean "batch_size"'],
  },
  {
    name: "an unknown loss",
    request: { task: { loss: "hinge" } },
    status: 422,
    kind: "invalid-recipe",
    says: ["cross_entropy", "hinge"],
  },
  {
    name: "a source that is nowhere",
    request: { start: "stort" },
    status: 422,
    kind: "unknown-source",
    says: ["start"],
  },
];

for (const { name, request, uploads, status, kind, says } of REFUSALS) {
  Deno.test(`tuning refuses ${name}`, async () => {
    const { app, ports, faults, close } = testApp();
    try {
      const response = await postDocument(
        app,
        "/tune",
        smallRequest(request),
        smallUploads(uploads),
      );
      const problem = await response.json();
      assertEquals([response.status, problem.type], [status, `/problems/${kind}`], problem.detail);
      const text = JSON.stringify(problem).replaceAll('\\"', '"');
      for (const part of says) assertStringIncludes(text, part);
      assertEquals(await ports.blobs.list(), []);
      assertEquals(faults, []);
    } finally {
      await close();
    }
  });
}

Deno.test("a step that gives a loss that is not finite stops, and names its rows", async () => {
  const { app, ports, close } = testApp();
  try {
    const request = smallRequest({
      local: { optimizer: { name: "sgd", learning_rate: 1e30 }, shuffle: false },
      task: { loss: "mse" },
    });
    const wild = safetensorsOf({
      x: tensorOf("float32", [20, 4], numbers(80, 5)),
      y: tensorOf("float32", [20, 3], numbers(60, 5)),
    });
    const response = await postDocument(app, "/tune", request, smallUploads({ rows: wild }));
    const problem = await response.json();
    assertEquals(problem.type, "/problems/non-finite", problem.detail);
    assert(problem.step > 1 && Array.isArray(problem.rows), JSON.stringify(problem));
    assertEquals(await ports.blobs.list(), []);
  } finally {
    await close();
  }
});
