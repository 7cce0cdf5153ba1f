/**
 * Examples of tuning, evaluation, statistics and rounds.
 *
 * @module
 */
import type { Example } from "./example.ts";
import { stored } from "./stored.ts";

const task = {
  name: "digits",
  shard: "rows",
  inputs: { x: { from: "x", scale: 0.0625 } },
  target: "y",
  loss: "cross_entropy",
};
const local = {
  steps: 5,
  batch_size: 32,
  optimizer: { name: "sgd", learning_rate: 0.02, momentum: 0.9 },
};
const net = { net: "digits.onnx" };
const rows = { rows: "val.safetensors" };

/** In an order in which they can be sent. */
export const TUNING_EXAMPLES: readonly Example[] = [
  {
    operation: "tune",
    name: "steps",
    summary: "Five steps of SGD",
    document: { model: "net", start: "left", task, local, sources: { left: stored.left } },
    uploads: { ...net, ...rows },
    status: 200,
  },
  {
    operation: "evaluate",
    name: "experts",
    summary: "Score two checkpoints on a task",
    document: {
      model: "net",
      checkpoints: ["left", "right"],
      tasks: [task],
      sources: { left: stored.left, right: stored.right },
    },
    uploads: { ...net, ...rows },
    status: 200,
  },
  {
    operation: "makeTrainingGraph",
    name: "graph",
    summary: "Fetch the training graph",
    document: { model: "net", task: { loss: "cross_entropy" }, local },
    uploads: net,
    status: 200,
  },
  {
    operation: "makeStatistics",
    name: "gram",
    summary: "Gram matrices for regmean",
    document: {
      model: "net",
      start: "left",
      tasks: [{ name: "digits", shard: "rows", inputs: { x: { from: "x", scale: 0.0625 } } }],
      kind: "gram",
      rows: 64,
      sources: { left: stored.left },
    },
    uploads: { ...net, ...rows },
    status: 200,
  },
  {
    operation: "atm",
    name: "rounds",
    summary: "Two rounds on one task, told as lines of JSON",
    document: {
      model: "net",
      start: "left",
      tasks: [task],
      rounds: 2,
      local,
      references: ["base"],
      mode: "published",
      sources: { left: stored.left },
    },
    uploads: { ...net, ...rows },
    status: 200,
  },
];
