/**
 * Gives weights back that an exporter kept once because they had equal values when it wrote the graph: fresh
 * scales and biases of several layers, as a rule. Trained on, they go different ways.
 *
 * @module
 */
import type { OnnxModel, OnnxNode, OnnxTensor, Value } from "../onnx/model.ts";
import { sameShape } from "./broadcast.ts";

/** A tensor of the checkpoint. */
export interface NamedShape {
  readonly name: string;
  readonly shape: readonly number[];
}

/** The graph with an initializer for every tensor that could be told apart. */
export interface SeparatedModel {
  readonly model: OnnxModel;
  /** Tensors that may be one of an initializer's several uses, which does not say which. */
  readonly unclear: readonly { readonly tensor: string; readonly initializer: Value }[];
}

/**
 * Tells uses of an initializer apart: an Identity node that carries a tensor's name stands for it, and so does
 * the use by a node of the tensor's module.
 *
 * @param tensors The floating-point tensors of the checkpoint.
 */
export function separateShared(
  model: OnnxModel,
  tensors: readonly NamedShape[],
): SeparatedModel {
  const initializers = new Map(model.graph.initializers);
  const missing = new Map(
    tensors.filter(({ name }) => !initializers.has(name)).map((tensor) => [tensor.name, tensor]),
  );
  let nodes = namedCopies(model.graph.nodes, initializers, missing);
  const names = new Set(tensors.map(({ name }) => name));
  nodes = nodes.map((node) => byModule(node, names, initializers, missing));

  const unclear: { tensor: string; initializer: Value }[] = [];
  for (const { name, shape } of missing.values()) {
    const shared = [...initializers].find(([initializer, tensor]) =>
      names.has(initializer) && sameShape(tensor.shape, shape) && uses(nodes, initializer) > 1
    );
    if (shared) unclear.push({ tensor: name, initializer: shared[0] });
  }
  return { model: { ...model, graph: { ...model.graph, nodes, initializers } }, unclear };
}

/** Identity nodes whose results have the names of tensors: `Identity(norm1.bias)` is `norm2.bias`. */
function namedCopies(
  nodes: readonly OnnxNode[],
  initializers: Map<Value, OnnxTensor>,
  missing: Map<string, NamedShape>,
): OnnxNode[] {
  return nodes.filter(({ operator, domain, inputs, outputs }) => {
    const [name] = outputs;
    const wanted = missing.get(name!);
    const held = initializers.get(inputs[0] ?? "");
    if (operator !== "Identity" || domain !== "" || !wanted || !held) return true;
    if (!sameShape(held.shape, wanted.shape)) return true;
    initializers.set(wanted.name, held);
    missing.delete(wanted.name);
    return false;
  });
}

/** The node with those inputs renamed that are the weights of another module than its own. */
function byModule(
  node: OnnxNode,
  names: ReadonlySet<string>,
  initializers: Map<Value, OnnxTensor>,
  missing: Map<string, NamedShape>,
): OnnxNode {
  const { scope } = node;
  if (scope === undefined || scope === "") return node;
  const inputs = node.inputs.map((input) => {
    const held = initializers.get(input);
    if (!held || !names.has(input) || isOf(scope, input)) return input;
    // Weights of one module have different roles: the last part of the name must be the same.
    const role = input.slice(input.lastIndexOf(".") + 1);
    const own = [...names].find((name) =>
      name.endsWith(`.${role}`) && isOf(scope, name) &&
      (missing.has(name) || initializers.has(name))
    );
    const shape = own === undefined ? undefined : missing.get(own)?.shape;
    if (own === undefined || (shape && !sameShape(held.shape, shape))) return input;
    if (missing.delete(own)) initializers.set(own, held);
    return own;
  });
  return inputs.some((input, i) => input !== node.inputs[i]) ? { ...node, inputs } : node;
}

/** Whether a tensor belongs to the module itself. */
function isOf(scope: string, tensor: string): boolean {
  const module = tensor.slice(0, Math.max(0, tensor.lastIndexOf(".")));
  return module !== "" && (scope === module || scope.endsWith(`.${module}`));
}

function uses(nodes: readonly OnnxNode[], value: Value): number {
  return nodes.reduce(
    (count, { inputs }) => count + inputs.filter((input) => input === value).length,
    0,
  );
}
