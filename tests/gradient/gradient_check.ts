/**
 * Compares the gradients of one operator's rule with central differences.
 *
 * @module
 */
import { assert } from "@std/assert";
import { onnxWorkspace } from "../../core/engine/onnx_workspace.ts";
import type { Workspace } from "../../core/engine/workspace.ts";
import { differentiate } from "../../core/gradient/differentiate.ts";
import { observe } from "../../core/gradient/observe.ts";
import { RULES } from "../../core/gradient/rules/mod.ts";
import { trainingBuilder } from "../../core/gradient/training_builder.ts";
import { isFloat, numbersOf, tensorOf } from "../../core/onnx/element_type.ts";
import type { Attributes, ElementType, OnnxModel, OnnxTensor } from "../../core/onnx/model.ts";
import { OPSET } from "../../core/onnx/schema.ts";
import { writeModel } from "../../core/onnx/write_model.ts";

/** One input of the operator. */
export interface CheckedInput {
  /** Default float32. */
  type?: ElementType;
  shape: readonly number[];
  values: readonly number[];
  /** A constant of the graph rather than an input. */
  constant?: boolean;
}

/** What is checked. */
export interface Checked {
  operator: string;
  attributes?: Attributes;
  inputs: readonly (CheckedInput | undefined)[];
  /** Number of outputs; default 1. */
  outputs?: number;
  /** Which inputs are differentiated; default every floating-point one that is no constant. */
  wanted?: readonly number[];
  /** Of the central difference; default 1e-2 for float32, 1e-5 for float64. */
  step?: number;
  /** Relative to the largest gradient; default 2e-3 for float32, 1e-6 for float64. */
  tolerance?: number;
  opset?: number;
}

/**
 * Takes the sum of random cotangents times the outputs, and compares its gradients with central differences.
 *
 * @throws {AssertionError} If they differ by more than the tolerance.
 */
export async function checkGradient(checked: Checked): Promise<void> {
  const workspace = onnxWorkspace();
  try {
    const subject = await load(workspace, checked);
    const cotangents = subject.outputs.map(({ count }, i) => cotangent(count, i));
    const analytic = await analyticGradients(workspace, checked, subject, cotangents);
    const double = checked.inputs.some((input) => input?.type === "float64");
    const step = checked.step ?? (double ? 1e-5 : 1e-2);
    const tolerance = checked.tolerance ?? (double ? 1e-6 : 2e-3);
    const forward = (values: readonly (readonly number[])[]) =>
      run(workspace, checked, subject, values).then((outputs) =>
        outputs.reduce(
          (sum, output, i) => sum + output.reduce((s, y, j) => s + y * cotangents[i]![j]!, 0),
          0,
        )
      );
    const at = checked.inputs.map((input) => [...input?.values ?? []]);
    for (const index of wantedOf(checked)) {
      const numeric: number[] = [];
      for (let j = 0; j < at[index]!.length; j++) {
        const centre = at[index]![j]!;
        at[index]![j] = centre + step;
        const above = await forward(at);
        at[index]![j] = centre - step;
        const below = await forward(at);
        at[index]![j] = centre;
        numeric.push((above - below) / (2 * step));
      }
      const found = analytic[index];
      assert(found, `${checked.operator}: no gradient of input ${index}`);
      const scale = Math.max(1e-3, ...numeric.map(Math.abs));
      numeric.forEach((expected, j) => {
        const difference = Math.abs(expected - found[j]!) / scale;
        assert(
          difference <= tolerance,
          `${checked.operator}: gradient of input ${index} at ${j} is ${
            found[j]
          }, the central difference ${expected} (relative ${difference}); case ${
            JSON.stringify({ ...checked, inputs: checked.inputs.map((x) => x?.shape) })
          }`,
        );
      });
    }
  } finally {
    await workspace.close();
  }
}

/** The analytic gradients by input for given cotangents, one list per output. */
export async function gradientsOf(
  checked: Checked,
  cotangents: readonly (readonly number[])[],
): Promise<(number[] | undefined)[]> {
  const workspace = onnxWorkspace();
  try {
    const subject = await load(workspace, checked);
    return await analyticGradients(workspace, checked, subject, cotangents);
  } finally {
    await workspace.close();
  }
}

interface Subject {
  readonly model: OnnxModel;
  readonly outputs: readonly { name: string; count: number; type: ElementType }[];
  readonly forward: Awaited<ReturnType<typeof observe>>;
}

function wantedOf(checked: Checked): readonly number[] {
  return checked.wanted ??
    checked.inputs.flatMap((input, i) =>
      input && !input.constant && isFloat(input.type ?? "float32") ? [i] : []
    );
}

async function load(workspace: Workspace, checked: Checked): Promise<Subject> {
  const initializers = new Map<string, OnnxTensor>();
  const inputs = new Map<string, { type: ElementType; shape: readonly number[] }>();
  checked.inputs.forEach((input, i) => {
    if (!input) return;
    const type = input.type ?? "float32";
    if (input.constant) initializers.set(`x${i}`, tensorOf(type, input.shape, input.values));
    else inputs.set(`x${i}`, { type, shape: input.shape });
  });
  const outputs = Array.from({ length: checked.outputs ?? 1 }, (_, i) => `y${i}`);
  const model: OnnxModel = {
    irVersion: 10,
    producer: "test",
    opsets: { "": checked.opset ?? OPSET },
    functions: [],
    metadata: {},
    graph: {
      name: "test",
      nodes: [{
        name: "subject",
        operator: checked.operator,
        domain: "",
        inputs: checked.inputs.map((input, i) => input ? `x${i}` : ""),
        outputs,
        attributes: checked.attributes ?? {},
      }],
      initializers,
      inputs: [...inputs].map(([name, typed]) => ({ name, ...typed })),
      outputs: outputs.map((name) => ({ name })),
    },
  };
  const forward = await observe(workspace, model, { inputs, outputs });
  await workspace.load("forward", writeModel(model));
  return {
    model,
    forward,
    outputs: outputs.flatMap((name) => {
      const { type, shape } = forward.values.get(name)!;
      return isFloat(type) ? [{ name, type, count: shape.reduce((a, b) => a * b, 1) }] : [];
    }),
  };
}

function feedsOf(checked: Checked, values: readonly (readonly number[])[]) {
  const feeds: Record<string, OnnxTensor> = {};
  checked.inputs.forEach((input, i) => {
    if (!input || input.constant) return;
    feeds[`x${i}`] = tensorOf(input.type ?? "float32", input.shape, values[i]!);
  });
  return feeds;
}

async function run(
  workspace: Workspace,
  checked: Checked,
  subject: Subject,
  values: readonly (readonly number[])[],
): Promise<number[][]> {
  const names = subject.outputs.map(({ name }) => name);
  const results = await workspace.run("forward", feedsOf(checked, values), names);
  return names.map((name) => numbersOf(results[name]!));
}

async function analyticGradients(
  workspace: Workspace,
  checked: Checked,
  { forward, outputs }: Subject,
  cotangents: readonly (readonly number[])[],
): Promise<(number[] | undefined)[]> {
  const builder = trainingBuilder(forward);
  const seeds = new Map<string, string>();
  outputs.forEach(({ name, type }, i) => {
    seeds.set(name, builder.constant(type, forward.values.get(name)!.shape, cotangents[i]!));
  });
  const wanted = new Set(wantedOf(checked).map((i) => `x${i}`));
  const gradients = differentiate(builder, { forward, rules: RULES, seeds, wanted });
  for (const [name, gradient] of gradients) {
    const { type, shape } = forward.values.get(name)!;
    builder.output(gradient, `gradient of ${name}`, type, shape);
  }
  await workspace.load("backward", builder.serialize());
  const results = await workspace.run(
    "backward",
    feedsOf(checked, checked.inputs.map((input) => input?.values ?? [])),
  );
  return checked.inputs.map((input, i) => {
    const found = results[`gradient of x${i}`];
    if (!found) return undefined;
    assert(
      found.shape.join() === input!.shape.join(),
      `${checked.operator}: the gradient of input ${i} has the shape [${found.shape}]`,
    );
    return numbersOf(found);
  });
}

/** Numbers between -1 and 1 that look random and are the same in every run. */
function cotangent(count: number, output: number): number[] {
  return Array.from({ length: count }, (_, j) => {
    const x = Math.sin((j + 1) * 12.9898 + output * 78.233) * 43758.5453;
    return Math.fround(2 * (x - Math.floor(x)) - 1);
  });
}
