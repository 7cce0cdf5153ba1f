/**
 * What an attention may look at, as something that is added to its scores.
 *
 * @module
 */
import { numbersOf } from "../../onnx/element_type.ts";
import type { ElementType, Value } from "../../onnx/model.ts";
import type { ExpansionStep } from "../rule.ts";

/** The lengths of an attention. */
export interface AttentionLengths {
  readonly queries: number;
  /** Keys of the past included. */
  readonly keys: number;
  /** Keys of the past, which every query comes after. */
  readonly past: number;
}

/** What is added to scores `[batch, heads, queries, keys]`. */
export interface AttentionMask {
  readonly added: Value;
  /** Where looking is allowed, if a query might have nothing to look at; it then takes nothing in. */
  readonly allowed?: Value;
}

/** Large enough to leave nothing of a score, and finite, as ONNX Runtime has it. */
const NEVER = -3.4028234663852886e38;

/**
 * The mask of a node's `attn_mask` (index 3), of the numbers of keys that are no padding (index 6) and of
 * causality together; undefined if everything is allowed.
 */
export function attentionMask(
  step: ExpansionStep,
  type: ElementType,
  causal: boolean,
  lengths: AttentionLengths,
): AttentionMask | undefined {
  const { node, graph } = step;
  const given = node.inputs[3] || undefined;
  const padding = node.inputs[6] || undefined;
  const boolean = given !== undefined && step.type(given) === "bool";
  const bias = boolean ? undefined : given;
  const open = given === undefined || looksSomewhere(step, given, lengths.keys);
  const limits: Value[] = [];
  if (padding) limits.push(unpadded(step, padding, causal, lengths));
  else if (causal) limits.push(causality(step, lengths));
  if (boolean) limits.push(given);
  if (bias && !open) limits.push(graph.node("Greater", [bias, graph.scalar(type, NEVER)]));
  const [first, ...others] = limits;
  if (first === undefined) return bias === undefined ? undefined : { added: bias };
  const allowed = others.reduce((all, limit) => graph.node("And", [all, limit]), first);
  const added = graph.node("Where", [
    allowed,
    bias ?? graph.scalar(type, 0),
    graph.scalar(type, NEVER),
  ]);
  const certain = !padding && open && (given === undefined || !causal);
  return certain ? { added } : { added, allowed };
}

/** Every query sees the past, and of the other keys as many as there are queries before it and itself. */
function causality({ graph }: ExpansionStep, { queries, keys, past }: AttentionLengths): Value {
  const seen = Array.from(
    { length: queries * keys },
    (_, i) => i % keys <= Math.floor(i / keys) + past ? 1 : 0,
  );
  return graph.constant("bool", [queries, keys], seen);
}

/**
 * Keys are seen up to their number without padding. With causality the last query sees all of these, and each
 * query before it one less.
 */
function unpadded(
  step: ExpansionStep,
  counts: Value,
  causal: boolean,
  { queries, keys }: AttentionLengths,
): Value {
  const { graph } = step;
  const [batch = 1] = step.shape(counts);
  const numbered = causal
    ? graph.constant(
      "int64",
      [queries, keys],
      Array.from(
        { length: queries * keys },
        (_, i) => i % keys + queries - 1 - Math.floor(i / keys),
      ),
    )
    : graph.integers(Array.from({ length: keys }, (_, i) => i));
  return graph.node("Less", [
    numbered,
    graph.node("Reshape", [counts, graph.integers([batch, 1, 1, 1])]),
  ]);
}

/** Whether a mask is a constant that leaves at least one key to every query. */
function looksSomewhere(step: ExpansionStep, mask: Value, keys: number): boolean {
  const held = step.constant(mask);
  if (!held || held.shape.at(-1) !== keys) return false;
  const numbers = numbersOf(held);
  const least = held.type === "bool" ? 0 : NEVER;
  for (let start = 0; start < numbers.length; start += keys) {
    if (numbers.slice(start, start + keys).every((number) => number <= least)) return false;
  }
  return true;
}
