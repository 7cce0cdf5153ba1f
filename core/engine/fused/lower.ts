/**
 * Makes a program of a method's graph.
 *
 * The graphs of methods know one shape only: rows of N elements, with what has one value for all of them. So the
 * rows are followed by name through the nodes, and what is left is arithmetic.
 *
 * @module
 */
import { numbersOf } from "../../onnx/element_type.ts";
import {
  integerOf,
  integersOf,
  type OnnxGraph,
  type OnnxModel,
  type OnnxNode,
  type Value,
} from "../../onnx/model.ts";
import type { Layout } from "../../onnx/operands.ts";
import { INPUT, PER_MODEL, SINGLE } from "../chunk_graph.ts";
import { ELEMENTWISE } from "./elementwise_rules.ts";
import { type Lowering, type Symbol, Unsupported } from "./lowering.ts";
import { createProgram, type Program, type ProgramBuilder, type Reduction } from "./program.ts";

/**
 * The program of a graph; undefined if it uses what programs lack.
 *
 * @param model Made by `chunk_graph.ts` for the layout.
 */
export function lowerGraph({ graph }: OnnxModel, layout: Layout): Program | undefined {
  const builder = createProgram(layout.double, layout.expanded);
  const symbols = inputsOf(graph, layout, builder);
  const lowering: Lowering = {
    builder,
    double: layout.double,
    symbol(value) {
      const found = symbols.get(value);
      if (!found) throw new Unsupported(`the value ${value}`);
      return found;
    },
    rows(value) {
      const found = lowering.symbol(value);
      if (found.kind === "rows") return found.rows;
      // One value is a row and a line alike.
      if (found.kind === "line" && found.values.length === 1) return found.values;
      throw new Unsupported(`rows of ${found.kind}`);
    },
  };
  try {
    for (const node of graph.nodes) {
      const made = lowerNode(node, lowering);
      node.outputs.forEach((output, i) => symbols.set(output, made[i]!));
    }
    const result = lowering.symbol(graph.outputs[0]!.name);
    if (result.kind === "rows") return builder.finish(result.rows);
    if (result.kind === "sums") return builder.finish(result.results, result.reductions);
  } catch (error) {
    if (!(error instanceof Unsupported)) throw error;
  }
  return undefined;
}

function inputsOf(
  graph: OnnxGraph,
  { models, statistics }: Layout,
  { add, coefficient }: ProgramBuilder,
): Map<Value, Symbol> {
  const symbols = new Map<Value, Symbol>();
  const rows = (count: number, make: (row: number) => number): Symbol => ({
    kind: "rows",
    rows: Array.from({ length: count }, (_, row) => make(row)),
  });
  for (const { name, shape } of graph.inputs) {
    if (name === INPUT.models || name === INPUT.unselected) {
      const unselected = name === INPUT.unselected;
      symbols.set(name, rows(models + statistics, (row) => add({ kind: "row", row, unselected })));
    } else if (name === INPUT.base) symbols.set(name, rows(1, () => add({ kind: "base" })));
    else if (name === INPUT.valid) symbols.set(name, rows(1, () => add({ kind: "valid" })));
    else if (name === INPUT.segments) symbols.set(name, { kind: "block-shape" });
    else if (name.startsWith(PER_MODEL)) {
      const values = Array.from(
        { length: models },
        (_, i) => coefficient(name.slice(PER_MODEL.length), i),
      );
      const isLine = shape?.[1] === models;
      symbols.set(name, isLine ? { kind: "line", values } : { kind: "rows", rows: values });
    } else if (name.startsWith(SINGLE)) {
      symbols.set(name, rows(1, () => coefficient(name.slice(SINGLE.length), 0)));
    }
  }
  for (const [name, tensor] of graph.initializers) {
    const numbers = numbersOf(tensor);
    if (tensor.type === "int64") symbols.set(name, { kind: "integers", values: numbers });
    else {symbols.set(
        name,
        rows(numbers.length, (i) => add({ kind: "constant", value: numbers[i]! })),
      );}
  }
  return symbols;
}

function lowerNode(node: OnnxNode, lowering: Lowering): Symbol[] {
  const { operator, inputs } = node;
  const elementwise = ELEMENTWISE[operator];
  if (elementwise) return [{ kind: "rows", rows: elementwise(inputs, lowering) }];
  const [first, second] = inputs;
  const symbol = lowering.symbol(first!);
  switch (operator) {
    case "Identity":
      return [symbol];
    case "Split":
      return splitRows(node, lowering);
    case "Slice": {
      const [from, to, axis] = inputs.slice(1).map((value) => integers(lowering, value)[0]!);
      if (axis !== 0) break;
      return [{ kind: "rows", rows: lowering.rows(first!).slice(from, to) }];
    }
    case "Concat":
      return [concat(inputs.map((value) => lowering.symbol(value)))];
    case "Transpose":
      return [transpose(symbol, integersOf(node, "perm") ?? [])];
    case "Reshape":
      if (lowering.symbol(second!).kind !== "block-shape") break;
      return [{ kind: "blocks", rows: lowering.rows(first!), axes: "rbn" }];
    case "ReduceMax":
    case "ReduceMin": {
      if (operator === "ReduceMax" && symbol.kind === "blocks") {
        return [reduced(node, symbol, lowering, "max")];
      }
      if (symbol.kind !== "rows" || integers(lowering, second!)[0] !== 0) break;
      const operation = operator === "ReduceMax" ? "max" as const : "min" as const;
      const { add } = lowering.builder;
      const row = symbol.rows.reduce((a, b) => add({ kind: "binary", operation, args: [a, b] }));
      return [{ kind: "rows", rows: [row] }];
    }
    case "ReduceSum":
      if (symbol.kind !== "blocks") break;
      return [reduced(node, symbol, lowering, "add")];
    case "MatMul":
      return [matMul(symbol, lowering.symbol(second!), lowering)];
    case "Flatten":
      if (symbol.kind === "sums") return [symbol];
  }
  throw new Unsupported(operator);
}

/** Takes the elements of every block together. */
function reduced(
  node: OnnxNode,
  { rows, axes }: Extract<Symbol, { kind: "blocks" }>,
  lowering: Lowering,
  reduction: Reduction,
): Symbol {
  const [axis] = integers(lowering, node.inputs[1]!);
  if (axes !== "rbn" || axis !== 2 || integerOf(node, "keepdims", 1) !== 0) {
    throw new Unsupported(node.operator);
  }
  return { kind: "sums", results: rows, reductions: rows.map(() => reduction) };
}

function integers(lowering: Lowering, value: Value): readonly number[] {
  const symbol = lowering.symbol(value);
  if (symbol.kind !== "integers") throw new Unsupported(`integers of ${symbol.kind}`);
  return symbol.values;
}

function splitRows({ inputs, outputs }: OnnxNode, lowering: Lowering): Symbol[] {
  const rows = lowering.rows(inputs[0]!);
  const sizes = inputs[1]
    ? integers(lowering, inputs[1])
    : outputs.map(() => rows.length / outputs.length);
  let at = 0;
  return sizes.map((size) => ({ kind: "rows", rows: rows.slice(at, at += size) }));
}

function concat(parts: readonly Symbol[]): Symbol {
  if (parts.every((part) => part.kind === "rows")) {
    return { kind: "rows", rows: parts.flatMap(({ rows }) => rows) };
  }
  if (parts.every((part) => part.kind === "sums")) {
    return {
      kind: "sums",
      results: parts.flatMap(({ results }) => results),
      reductions: parts.flatMap(({ reductions }) => reductions),
    };
  }
  // The number of rows before how they are cut.
  if (parts.at(-1)!.kind === "block-shape") return { kind: "block-shape" };
  throw new Unsupported("Concat");
}

function transpose(symbol: Symbol, perm: readonly number[]): Symbol {
  switch (symbol.kind) {
    case "line":
      return { kind: "rows", rows: symbol.values };
    case "blocks":
      return { ...symbol, axes: perm.map((axis) => symbol.axes[axis]!).join("") };
    case "sums":
      return symbol;
    default:
      throw new Unsupported(`Transpose of ${symbol.kind}`);
  }
}

/** A weighted sum of rows, or the dot products of every pair of vectors. */
function matMul(left: Symbol, right: Symbol, { builder: { add } }: Lowering): Symbol {
  const product = (a: number, b: number) => add({ kind: "binary", operation: "mul", args: [a, b] });
  if (left.kind === "blocks" && right.kind === "blocks") {
    if (left.axes !== "brn" || right.axes !== "bnr") throw new Unsupported("MatMul of blocks");
    const results = left.rows.flatMap((a) => right.rows.map((b) => product(a, b)));
    return { kind: "sums", results, reductions: results.map(() => "add") };
  }
  const factors = left.kind === "line" ? left.values : left.kind === "rows" ? left.rows : [];
  if (right.kind !== "rows" || factors.length !== right.rows.length) {
    throw new Unsupported("MatMul");
  }
  const terms = factors.map((factor, i) => product(factor, right.rows[i]!));
  const sum = terms.reduce((a, b) => add({ kind: "binary", operation: "add", args: [a, b] }));
  return { kind: "rows", rows: [sum] };
}
