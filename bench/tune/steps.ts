/**
 * Times steps of tuning: forward, backward and AdamW on 64 images.
 *
 * @module
 */
import { openLearner } from "../../core/atm/learner.ts";
import type { TaskData } from "../../core/atm/task_data.ts";
import { type LocalSettings, prepareTuning, tune } from "../../core/atm/tune.ts";
import { memorySource } from "../../core/checkpoint/memory_source.ts";
import { onnxWorkspace } from "../../core/engine/onnx_workspace.ts";
import type { Workspace } from "../../core/engine/workspace.ts";
import { parametricModel } from "../../core/gradient/parameters.ts";
import { tensorOf } from "../../core/onnx/element_type.ts";
import { loadModel } from "../../core/onnx/load_model.ts";

const ROWS = 64;
const WARM_UPS = 3;
const PIXELS = 28 * 28;
const LOSS = { name: "cross_entropy", ignoreIndex: -100, labelSmoothing: 0 } as const;

/** What was measured. */
export interface StepTimes {
  /** Median of a step. */
  readonly milliseconds: number;
  /** Share of the time that is not spent in ONNX Runtime. */
  readonly outside: number;
  readonly parameters: number;
}

/** Images that look like noise; a step takes as long with them. */
const DATA: TaskData = {
  rows: ROWS,
  inputs: new Map([["image", { type: "float32", shape: [1, 28, 28] }]]),
  target: { type: "int64", shape: [] },
  batch(indices) {
    const { length } = indices;
    const image = Array.from({ length: length * PIXELS }, (_, i) => ((i * 7919) % 256) / 255);
    return Promise.resolve({
      inputs: { image: tensorOf("float32", [length, 1, 28, 28], image) },
      target: tensorOf("int64", [length], Array.from(indices, (row) => row % 10)),
    });
  },
};

/** Tunes `cnn` or `vit` for some steps on this thread. */
export async function measureSteps(model: string, steps: number): Promise<StepTimes> {
  const { signal } = new AbortController();
  const file = await Deno.readFile(new URL(`./models/${model}.onnx`, import.meta.url));
  const graph = await loadModel(memorySource(file), { name: model, signal });
  const parametric = await parametricModel(graph, undefined, { signal });
  const inside = { milliseconds: 0 };
  const workspace = timed(onnxWorkspace(), inside);
  const learner = openLearner({
    workspace,
    model: parametric,
    data: DATA,
    loss: LOSS,
    trainable: new Set(parametric.parameters.keys()),
  });
  const local: LocalSettings = {
    steps: steps + WARM_UPS,
    batchSize: ROWS,
    shuffle: true,
    optimizer: { name: "adamw", betas: [0.9, 0.999], epsilon: 1e-8, weightDecay: 0.01 },
    learningRate: 1e-3,
    schedule: "constant",
    clipNorm: 0,
    proximal: 0,
    firstEpoch: 1,
  };
  try {
    await learner.place(signal);
    await prepareTuning(learner, DATA, LOSS, local);
    const times: { step: number; inside: number }[] = [];
    let last = performance.now();
    await tune({
      learner,
      data: DATA,
      task: model,
      loss: LOSS,
      local,
      seed: 0,
      signal,
      onStep() {
        const now = performance.now();
        times.push({ step: now - last, inside: inside.milliseconds });
        inside.milliseconds = 0;
        last = performance.now();
      },
    });
    const counted = times.slice(WARM_UPS);
    const sum = (of: (time: typeof counted[0]) => number) =>
      counted.reduce((total, time) => total + of(time), 0);
    const sorted = counted.map(({ step }) => step).sort((a, b) => a - b);
    return {
      milliseconds: sorted[sorted.length >> 1]!,
      outside: 1 - sum((time) => time.inside) / sum(({ step }) => step),
      parameters: [...parametric.parameters.values()].reduce(
        (total, { shape }) => total + shape.reduce((product, size) => product * size, 1),
        0,
      ),
    };
  } finally {
    await workspace.close();
  }
}

function timed(workspace: Workspace, inside: { milliseconds: number }): Workspace {
  return {
    ...workspace,
    async run(key, feeds, fetches) {
      const began = performance.now();
      const results = await workspace.run(key, feeds, fetches);
      inside.milliseconds += performance.now() - began;
      return results;
    },
  };
}
