/**
 * Attention of operator sets 23 and 24 written out (Vaswani et al. 2017, Attention Is All You Need; heads that
 * share keys and values: Ainslie et al. 2023, GQA).
 *
 * @module
 */
import { floatOf, integerOf, type Value } from "../../onnx/model.ts";
import type { Expansion, Expansions, ExpansionStep } from "../rule.ts";
import { attentionMask } from "./attention_mask.ts";

/** Queries, keys or values as `[batch, heads, length, size]`. */
interface Heads {
  readonly value: Value;
  readonly shape: readonly [batch: number, heads: number, length: number, size: number];
}

/** Which of the scores on the way is the node's fourth output. */
const SCORED = { raw: 0, capped: 1, masked: 2, weights: 3 } as const;

const attention: Expansion = (step) => {
  const { node, graph } = step;
  const queries = headsOf(step, 0, "q_num_heads");
  const keys = withPast(step, headsOf(step, 1, "kv_num_heads"), 4);
  const values = withPast(step, headsOf(step, 2, "kv_num_heads"), 5);
  const type = step.type(node.inputs[0]!);
  const [batch, heads, length, size] = queries.shape;
  const [, groups, total] = keys.shape;
  if (heads % groups !== 0) {
    return step.refuse(`its ${heads} heads must be a multiple of its key heads: ${groups}`);
  }
  const wanted = node.outputs[3] ? integerOf(node, "qk_matmul_output_mode", 0) : -1;
  const scores = graph.integers([batch, heads, length, total]);

  const scale = floatOf(node, "scale", 0) || 1 / Math.sqrt(size);
  const scaled = graph.node("Mul", [queries.value, graph.scalar(type, scale)]);
  const turned = graph.node("Transpose", [keys.value], { perm: [0, 1, 3, 2] });
  const raw = product(step, { ...queries, value: scaled }, turned, groups, scores);

  const softcap = floatOf(node, "softcap", 0);
  const cap = graph.scalar(type, softcap);
  const capped = softcap === 0
    ? raw
    : graph.node("Mul", [graph.node("Tanh", [graph.node("Div", [raw, cap])]), cap]);

  const past = total - headsLength(step, 1);
  const causal = integerOf(node, "is_causal", 0) !== 0;
  const mask = attentionMask(step, type, causal, { queries: length, keys: total, past });
  const masked = mask ? graph.node("Add", [capped, mask.added]) : capped;
  const spread = graph.node("Softmax", [masked], { axis: -1 });
  const weights = mask?.allowed
    ? graph.node("Where", [mask.allowed, spread, graph.scalar(type, 0)])
    : spread;

  const depth = values.shape[3];
  const result = product(
    step,
    { value: weights, shape: [batch, heads, length, total] },
    values.value,
    groups,
    graph.integers([batch, heads, length, depth]),
  );
  const scored = { raw, capped, masked, weights };
  const [kind] = Object.entries(SCORED).find(([, mode]) => mode === wanted) ?? [];
  return [
    merged(step, result, [batch, heads, length, depth]),
    node.outputs[1] ? keys.value : undefined,
    node.outputs[2] ? values.value : undefined,
    kind ? scored[kind as keyof typeof SCORED] : undefined,
  ];
};

/** The input at an index with its heads apart. */
function headsOf(step: ExpansionStep, index: number, attribute: string): Heads {
  const { node, graph } = step;
  const value = node.inputs[index]!;
  const shape = step.shape(value);
  const [batch = 0, second = 0, third = 0, fourth = 0] = shape;
  if (shape.length === 4) return { value, shape: [batch, second, third, fourth] };
  const heads = integerOf(node, attribute, 0);
  if (shape.length !== 3 || heads <= 0 || third % heads !== 0) {
    return step.refuse(`${attribute} must divide the last axis of [${shape.join(", ")}]: ${heads}`);
  }
  const size = third / heads;
  const apart = graph.node("Reshape", [value, graph.integers([batch, second, heads, size])]);
  const ahead = graph.node("Transpose", [apart], { perm: [0, 2, 1, 3] });
  return { value: ahead, shape: [batch, heads, second, size] };
}

/** Keys or values in front of which those of the past are put. */
function withPast(step: ExpansionStep, heads: Heads, index: number): Heads {
  const past = step.node.inputs[index];
  if (!past) return heads;
  const [batch, count, length, size] = heads.shape;
  const value = step.graph.node("Concat", [past, heads.value], { axis: 2 });
  return { value, shape: [batch, count, length + (step.shape(past)[2] ?? 0), size] };
}

function headsLength(step: ExpansionStep, index: number): number {
  return step.shape(step.node.inputs[index]!).at(-2) ?? 0;
}

/**
 * Multiplies every head by the matrix of its group: heads of one group become rows of one matrix, so that keys
 * and values are not copied.
 */
function product(
  { graph }: ExpansionStep,
  { value, shape: [batch, heads, length, size] }: Heads,
  matrices: Value,
  groups: number,
  result: Value,
): Value {
  if (groups === heads) return graph.node("MatMul", [value, matrices]);
  const rows = graph.integers([batch, groups, heads / groups * length, size]);
  const together = graph.node("Reshape", [value, rows]);
  return graph.node("Reshape", [graph.node("MatMul", [together, matrices]), result]);
}

/** Puts the heads together again if the queries came so. */
function merged(step: ExpansionStep, value: Value, shape: Heads["shape"]): Value {
  if (step.shape(step.node.inputs[0]!).length === 4) return value;
  const [batch, heads, length, size] = shape;
  const behind = step.graph.node("Transpose", [value], { perm: [0, 2, 1, 3] });
  return step.graph.node("Reshape", [behind, step.graph.integers([batch, length, heads * size])]);
}

/** Expansions of this family. */
export const ATTENTION: Expansions = { Attention: attention };
