/**
 * Runs a composite node, and what it is written out as.
 *
 * @module
 */
import { assert } from "@std/assert";
import { onnxWorkspace } from "../../../core/engine/onnx_workspace.ts";
import type { Workspace } from "../../../core/engine/workspace.ts";
import { differentiate } from "../../../core/gradient/differentiate.ts";
import { EXPANSIONS } from "../../../core/gradient/expansions/mod.ts";
import { observe, type ObservedGraph } from "../../../core/gradient/observe.ts";
import { prepareForward } from "../../../core/gradient/prepare_forward.ts";
import { RULES } from "../../../core/gradient/rules/mod.ts";
import { trainingBuilder } from "../../../core/gradient/training_builder.ts";
import { numbersOf, tensorOf } from "../../../core/onnx/element_type.ts";
import { createGraph } from "../../../core/onnx/graph_builder.ts";
import type { Attributes, OnnxModel, OnnxNode, OnnxTensor } from "../../../core/onnx/model.ts";
import { writeModel } from "../../../core/onnx/write_model.ts";
import { checkClose, drawn, results } from "../../onnx/normalize/same_results.ts";

/** A composite node. */
export interface Composite {
  readonly operator: string;
  readonly inputs: readonly (OnnxTensor | undefined)[];
  /** Indices of inputs that are constants of the graph. */
  readonly fixed?: readonly number[];
  readonly attributes?: Attributes;
  /** Inputs from this index on are read by graphs inside of the node rather than by the node itself. */
  readonly reads?: number;
  /** Which outputs the node has; default the first. */
  readonly outputs?: readonly number[];
  readonly opset?: number;
}

/** The model of one composite node: inputs `x0`, `x1`, …, outputs `y0`, `y1`, … */
export function modelOf(one: Composite): { model: OnnxModel; feeds: Record<string, OnnxTensor> } {
  const given = one.inputs.flatMap((tensor, i) => tensor ? [{ i, name: `x${i}`, tensor }] : []);
  const fed = given.filter(({ i }) => !one.fixed?.includes(i));
  const outputs = one.outputs ?? [0];
  const names = Array.from(
    { length: Math.max(...outputs) + 1 },
    (_, i) => outputs.includes(i) ? `y${i}` : "",
  );
  const model: OnnxModel = {
    irVersion: 10,
    producer: "test",
    opsets: { "": one.opset ?? 23 },
    functions: [],
    metadata: {},
    graph: {
      name: "test",
      nodes: [{
        name: "composite",
        operator: one.operator,
        domain: "",
        inputs: one.inputs.slice(0, one.reads).map((tensor, i) => tensor ? `x${i}` : ""),
        outputs: names,
        attributes: one.attributes ?? {},
      }],
      initializers: new Map(
        given.filter(({ i }) => one.fixed?.includes(i)).map(({ name, tensor }) => [name, tensor]),
      ),
      inputs: fed.map(({ name, tensor: { type, shape } }) => ({ name, type, shape })),
      outputs: names.filter((name) => name !== "").map((name) => ({ name })),
    },
  };
  return { model, feeds: Object.fromEntries(fed.map(({ name, tensor }) => [name, tensor])) };
}

/** The model with its one node written out. */
export async function writtenOut(model: OnnxModel): Promise<OnnxModel> {
  return writtenWith(model.graph.nodes[0]!, model, await observed(model));
}

/** The shapes and types of a model's values. */
export async function observed(model: OnnxModel): Promise<ObservedGraph> {
  const inputs = new Map(
    model.graph.inputs.map(({ name, type, shape }) => [name, {
      type: type!,
      shape: shape!.map(Number),
    }]),
  );
  const workspace = onnxWorkspace();
  try {
    const outputs = model.graph.outputs.map(({ name }) => name);
    return await observe(workspace, model, { inputs, outputs });
  } finally {
    await workspace.close();
  }
}

/**
 * The model with a node written out.
 *
 * @throws {Error} With the reason if the expansion refuses the node.
 */
export function writtenWith(node: OnnxNode, model: OnnxModel, forward: ObservedGraph): OnnxModel {
  const graph = createGraph("written", {
    nodes: [],
    initializers: model.graph.initializers,
    inputs: model.graph.inputs,
    opsets: model.opsets,
    prefix: "made.",
  });
  const answers = EXPANSIONS[node.operator]!({
    node,
    graph,
    shape: (value) => forward.values.get(value)!.shape,
    type: (value) => forward.values.get(value)!.type,
    constant: (value) => forward.constants.get(value),
    numbers(value) {
      const tensor = value ? forward.constants.get(value) : undefined;
      return tensor && numbersOf(tensor);
    },
    refuse(reason) {
      throw new Error(`refused: ${reason}`);
    },
  });
  assert(answers, "the node was left as it is");
  node.outputs.forEach((name, i) => {
    if (!name) return;
    const typed = forward.values.get(name)!;
    assert(answers[i] !== undefined, `the output ${i} is missing`);
    graph.output(answers[i], name, typed.type, typed.shape);
  });
  return graph.model();
}

/**
 * Checks that a node and what it is written out as answer the same.
 *
 * @returns What the node answers.
 */
export async function checkWrittenOut(
  one: Composite,
  tolerance = 1e-6,
): Promise<Record<string, OnnxTensor>> {
  const { model, feeds } = modelOf(one);
  const expected = await results(model, feeds);
  const found = await results(await writtenOut(model), feeds);
  for (const [name, tensor] of Object.entries(expected)) {
    checkClose(found[name], tensor, tolerance, `${one.operator} ${name}`);
  }
  return expected;
}

/**
 * Compares the gradients of a composite node, through the way that a training graph goes, with central differences
 * of ONNX Runtime's own kernel.
 *
 * @param wanted Indices of the inputs that are differentiated; default all that are float32 and no constants.
 */
export async function checkGradients(one: Composite, wanted?: readonly number[]): Promise<void> {
  const { model, feeds } = modelOf(one);
  const names = Object.keys(feeds).filter((name) =>
    wanted ? wanted.includes(Number(name.slice(1))) : feeds[name]!.type === "float32"
  );
  const outputs = model.graph.outputs.map(({ name }) => name);
  const workspace = onnxWorkspace();
  try {
    await workspace.load("node", writeModel(model));
    const run = async () => {
      const answer = await workspace.run("node", feeds, outputs);
      return outputs.map((name) => numbersOf(answer[name]!));
    };
    const cotangents = (await run()).map((values, i) => numbersOf(drawn([values.length], 50 + i)));
    for (const [i, output] of outputs.entries()) {
      const found = await gradients(workspace, model, feeds, output, cotangents[i]!, names);
      const loss = async () =>
        (await run())[i]!.reduce((sum, y, j) => sum + y * cotangents[i]![j]!, 0);
      for (const name of names) await compare(feeds, name, loss, found[name], `${output}, ${name}`);
    }
  } finally {
    await workspace.close();
  }
}

const STEP = 1e-2;

async function compare(
  feeds: Record<string, OnnxTensor>,
  name: string,
  loss: () => Promise<number>,
  found: OnnxTensor | undefined,
  shown: string,
): Promise<void> {
  const { type, shape, bytes } = feeds[name]!;
  const values = numbersOf(feeds[name]!);
  const at = async (i: number, shift: number) => {
    feeds[name] = tensorOf(type, shape, values.map((value, j) => i === j ? value + shift : value));
    return await loss();
  };
  const expected: number[] = [];
  for (let i = 0; i < values.length; i++) {
    // Of fourth order, so that steps may be large enough for float32.
    const near = (await at(i, STEP) - await at(i, -STEP)) / (2 * STEP);
    const far = (await at(i, 2 * STEP) - await at(i, -2 * STEP)) / (4 * STEP);
    expected.push((4 * near - far) / 3);
  }
  feeds[name] = { type, shape, bytes };
  const scale = Math.max(1e-3, ...expected.map(Math.abs));
  const given = found ? numbersOf(found) : values.map(() => 0);
  expected.forEach((value, i) => {
    const difference = Math.abs(value - given[i]!) / scale;
    assert(
      difference < 1e-3,
      `the gradient of ${shown} at ${i} is ${given[i]}, the central difference ${value}`,
    );
  });
}

async function gradients(
  workspace: Workspace,
  model: OnnxModel,
  feeds: Readonly<Record<string, OnnxTensor>>,
  output: string,
  cotangent: readonly number[],
  names: readonly string[],
): Promise<Record<string, OnnxTensor>> {
  const forward = await prepareForward(workspace, {
    model,
    data: new Map(Object.entries(feeds).map(([name, { type, shape }]) => [name, { type, shape }])),
    parameters: new Map(),
    output,
    trainable: new Set(names),
    expansions: EXPANSIONS,
  });
  const [composite] = model.graph.nodes;
  assert(forward.nodes.every(({ operator }) => operator !== composite!.operator));
  const builder = trainingBuilder(forward);
  const { type, shape } = forward.values.get(output)!;
  const seeds = new Map([[output, builder.constant(type, shape, cotangent)]]);
  const wanted = new Set(names);
  for (const [name, value] of differentiate(builder, { forward, rules: RULES, seeds, wanted })) {
    builder.output(value, `gradient of ${name}`, feeds[name]!.type, feeds[name]!.shape);
  }
  await workspace.load("backward", builder.serialize());
  const answer = await workspace.run("backward", feeds);
  return Object.fromEntries(
    names.flatMap((name) => {
      const tensor = answer[`gradient of ${name}`];
      return tensor ? [[name, tensorOf(tensor.type, tensor.shape, numbersOf(tensor))]] : [];
    }),
  );
}
