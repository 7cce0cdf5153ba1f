import { assert, assertEquals } from "@std/assert";
import * as v from "valibot";
import type { Tensors } from "../../../core/engine/workspace.ts";
import { appendClip } from "../../../core/gradient/gradient_clip.ts";
import { doubleInput, single } from "../../../core/gradient/hyperparameter.ts";
import { OptimizerSchema, parseOptimizer } from "../../../core/gradient/optimizer_options.ts";
import { appendOptimizer, hyperparameters } from "../../../core/gradient/optimizers/mod.ts";
import { appendProximal } from "../../../core/gradient/proximal.ts";
import { learningRateAt, type Schedule } from "../../../core/gradient/schedule.ts";
import { tensorOf } from "../../../core/onnx/element_type.ts";
import type { GraphBuilder } from "../../../core/onnx/graph_builder.ts";
import type { OnnxTensor } from "../../../core/onnx/model.ts";
import type { Fault } from "../../../core/problem.ts";
import { runSteps } from "../run_graph.ts";

interface Floats {
  shape: number[];
  values: number[];
}

interface Run {
  optimizer: unknown;
  schedule: Schedule;
  clip_norm: number;
  proximal: number;
  steps: {
    learning_rate: number;
    gradient_norm?: number;
    updated: Record<string, number[]>;
  }[];
}

interface Fixture {
  curvatures: Record<string, Floats>;
  centres: Record<string, Floats>;
  starts: Record<string, Floats>;
  runs: Run[];
  cosine: { total: number; rates: number[] }[];
}

const FILE = new URL("../../../fixtures/gradient/optimizers.json", import.meta.url);

async function fixture(): Promise<Fixture> {
  return JSON.parse(await Deno.readTextFile(FILE));
}

/** Runs as many steps as PyTorch did, and answers the outputs of each. */
async function run({ curvatures, centres, starts }: Fixture, given: Run) {
  const form = v.parse(OptimizerSchema, given.optimizer);
  const faults: Fault[] = [];
  const spec = parseOptimizer(form, "optimizer", faults);
  assertEquals(faults, []);
  const names = Object.keys(starts);
  const kept: Record<string, OnnxTensor> = {};
  const constant = (graph: GraphBuilder, { shape, values }: Floats) =>
    graph.constant("float32", shape, values);

  const build = (graph: GraphBuilder) => {
    let steps = names.map((name) => {
      const { shape } = starts[name]!;
      const value = graph.input(name, "float32", shape);
      const away = graph.node("Sub", [value, constant(graph, centres[name]!)]);
      const gradient = graph.node("Mul", [away, constant(graph, curvatures[name]!)]);
      return { name, value, gradient, shape, type: "float32" as const };
    });
    if (given.proximal > 0) {
      steps = steps.map((step) => ({ ...step, gradient: appendProximal(graph, step) }));
    }
    if (given.clip_norm > 0) {
      const gradients = steps.map(({ name, gradient: value, shape }) =>
        [name, { value, shape }] as const
      );
      const maximum = single(graph, doubleInput(graph, "clip_norm"));
      const { clipped, norm } = appendClip(graph, new Map(gradients), maximum);
      graph.output(norm, "norm", "float32", []);
      steps = steps.map((step) => ({ ...step, gradient: clipped.get(step.name)! }));
    }
    const { updated, state } = appendOptimizer(graph, spec, steps);
    for (const [name, value] of updated) {
      graph.output(value, `updated.${name}`, "float32", starts[name]!.shape);
    }
    for (const { name, shape, updated: value } of state) {
      graph.output(value, `updated.${name}`, "float32", shape);
      kept[name] = tensorOf(
        "float32",
        shape,
        shape.reduce<number[]>(
          (values, size) => Array(size).fill(values).flat(),
          [0],
        ),
      );
    }
    for (const name of names) {
      const { shape, values } = starts[name]!;
      kept[name] = tensorOf("float32", shape, values);
      kept[`anchor.${name}`] = kept[name];
    }
  };

  return await runSteps(build, given.steps.length, (step, before: Tensors | undefined) => {
    for (const [name, tensor] of Object.entries(before ?? {})) {
      if (name.startsWith("updated.")) kept[name.slice("updated.".length)] = tensor;
    }
    const rate = learningRateAt(given.schedule, form.learning_rate, step, given.steps.length);
    const scalars = {
      ...hyperparameters(spec, step, rate),
      ...(given.clip_norm > 0 ? { clip_norm: given.clip_norm } : {}),
      ...(given.proximal > 0 ? { proximal: given.proximal } : {}),
    };
    return {
      ...kept,
      ...Object.fromEntries(
        Object.entries(scalars).map(([name, value]) => [name, tensorOf("float64", [], [value])]),
      ),
    };
  });
}

Deno.test("every optimizer takes PyTorch's steps", async () => {
  const given = await fixture();
  assertEquals(given.runs.length, 20);
  for (const wanted of given.runs) {
    const { steps, ...what } = wanted;
    const found = await run(given, wanted);
    steps.forEach(({ updated, gradient_norm }, step) => {
      for (const [name, values] of Object.entries(updated)) {
        values.forEach((expected, i) => {
          const is = found[step]![`updated.${name}`]!.numbers[i]!;
          assert(
            Math.abs(is - expected) <= 1e-6 * Math.max(1, Math.abs(expected)),
            `${JSON.stringify(what)}: ${name}[${i}] is ${is} instead of ${expected} after step ${
              step + 1
            }`,
          );
        });
      }
      if (gradient_norm !== undefined) {
        const is = found[step]!.norm!.numbers[0]!;
        assert(Math.abs(is / gradient_norm - 1) < 1e-5, `norm ${is} instead of ${gradient_norm}`);
      }
    });
  }
});

Deno.test("the cosine schedule has PyTorch's rates", async () => {
  for (const { total, rates } of (await fixture()).cosine) {
    assertEquals(rates.length, total);
    rates.forEach((expected, i) => {
      const rate = learningRateAt("cosine", 0.3, i + 1, total);
      assert(Math.abs(rate - expected) < 1e-12, `step ${i + 1} of ${total}: ${rate}`);
    });
  }
});
