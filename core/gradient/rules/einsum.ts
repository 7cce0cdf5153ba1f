/**
 * Backward rule of Einsum: the gradient of an operand is an Einsum of the output's gradient and the others.
 *
 * @module
 */
import { textOf, type Value } from "../../onnx/model.ts";
import type { BackwardRules, BackwardStep } from "../rule.ts";

/** An equation in letters only: the ellipsis is written out. */
interface Equation {
  readonly operands: readonly string[];
  readonly output: string;
}

const LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

function parse(step: BackwardStep): Equation {
  const { node } = step;
  const text = textOf(node, "equation", "").replaceAll(" ", "");
  const [left = "", right] = text.split("->");
  const terms = left.split(",");
  const free = [...LETTERS].filter((letter) => !text.includes(letter));
  const spare = terms.map((term, i) =>
    step.shape(node.inputs[i]!).length - term.replace("...", "").length
  );
  const most = Math.max(0, ...terms.map((term, i) => term.includes("...") ? spare[i]! : 0));
  const dots = free.slice(0, most).join("");
  const operands = terms.map((term, i) =>
    term.includes("...") ? term.replace("...", dots.slice(most - spare[i]!)) : term
  );
  const implicit = () => {
    const all = terms.join("").replaceAll(".", "");
    const once = [...new Set(all)].filter((letter) => all.split(letter).length === 2);
    return dots + once.sort().join("");
  };
  return { operands, output: right === undefined ? implicit() : right.replace("...", dots) };
}

function einsum(step: BackwardStep): (Value | undefined)[] {
  const { graph, node } = step;
  const { operands, output } = parse(step);
  const sizes = new Map<string, number>();
  operands.forEach((term, i) =>
    [...term].forEach((letter, axis) => {
      const size = step.shape(node.inputs[i]!)[axis]!;
      sizes.set(letter, Math.max(size, sizes.get(letter) ?? 1));
    })
  );
  return operands.map((term, index) => {
    if (!step.wants(index)) return undefined;
    const { unique, diagonals } = withoutRepeats(step, term, sizes);
    const others = [
      ...operands.flatMap((other, i) =>
        i === index ? [] : [{ term: other, value: node.inputs[i]! }]
      ),
      ...diagonals,
    ];
    const known = new Set(output + others.map((other) => other.term).join(""));
    // An index that only this operand has was summed out: its gradient is the same along it.
    const kept = [...unique].filter((letter) => known.has(letter)).join("");
    const equation = `${[output, ...others.map((other) => other.term)].join(",")}->${kept}`;
    const product = graph.node(
      "Einsum",
      [step.gradients[0]!, ...others.map(({ value }) => value)],
      { equation },
    );
    return fitted(step, index, unique, kept, product, sizes);
  });
}

/**
 * A repeated index reads a diagonal. Its gradient is 0 beside that diagonal: the second occurrence gets a letter of
 * its own, tied to the first by the unit matrix.
 */
function withoutRepeats(
  step: BackwardStep,
  term: string,
  sizes: Map<string, number>,
): { unique: string; diagonals: { term: string; value: Value }[] } {
  const { graph, node } = step;
  const diagonals: { term: string; value: Value }[] = [];
  let unique = "";
  for (const letter of term) {
    if (!unique.includes(letter)) {
      unique += letter;
      continue;
    }
    const size = sizes.get(letter)!;
    const fresh = [...LETTERS].find((free) => !sizes.has(free))!;
    sizes.set(fresh, size);
    unique += fresh;
    const unit = Array.from({ length: size * size }, (_, i) => Number(i % (size + 1) === 0));
    const value = graph.constant(step.type(node.inputs[0]!), [size, size], unit);
    diagonals.push({ term: letter + fresh, value });
  }
  return { unique, diagonals };
}

/** Stretches summed indices, and sums what was broadcast from size 1. */
function fitted(
  step: BackwardStep,
  index: number,
  term: string,
  kept: string,
  product: Value,
  sizes: ReadonlyMap<string, number>,
): Value {
  const { graph, node } = step;
  const shape = step.shape(node.inputs[index]!);
  const missing = [...term].flatMap((letter, axis) => kept.includes(letter) ? [] : [axis]);
  const whole = missing.length === 0 ? product : graph.node("Expand", [
    graph.node("Unsqueeze", [product, graph.integers(missing)]),
    graph.integers(
      [...term].map((letter, axis) => kept.includes(letter) ? sizes.get(letter)! : shape[axis]!),
    ),
  ]);
  const stretched = [...term].flatMap((letter, axis) =>
    shape[axis] === 1 && kept.includes(letter) && sizes.get(letter)! > 1 ? [axis] : []
  );
  return stretched.length === 0
    ? whole
    : graph.node("ReduceSum", [whole, graph.integers(stretched)], { keepdims: 1 });
}

/** Backward rule of Einsum. */
export const einsumRules: BackwardRules = { Einsum: einsum };
