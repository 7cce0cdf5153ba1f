/**
 * Exponentials of tensors that are stored as bfloat16, of which there are 65,536: a table holds them, as programs would
 * compute them.
 *
 * @module
 */
import type { Layout } from "../../onnx/operands.ts";
import type { Kernels } from "../../tensor/kernels/mod.ts";
import { reduceGraph } from "../chunk_graph.ts";
import type { Format } from "./formats.ts";
import type { FusedEngine } from "./fused.ts";
import type { Parameter } from "./parameters.ts";
import type { Instruction, Program } from "./program.ts";

const NUMBERS = 65_536;
/** Bytes of a table. */
export const TABLE_BYTES = 8 * NUMBERS;

/** A row that is stored as bfloat16. */
export interface NarrowRow {
  readonly pointer: Parameter;
  readonly row: number;
}

/** Where an instruction reads bfloat16, if that is what it does. */
export function narrowRow(instruction: Instruction, format: Format): NarrowRow | undefined {
  if (instruction.kind === "base" && format.base === "BF16") return { pointer: "base", row: 0 };
  if (instruction.kind !== "row" || format.rows[instruction.row] !== "BF16") return undefined;
  return { pointer: instruction.unselected ? "unselected" : "x", row: instruction.row };
}

/** Whether a program looks exponentials up. */
export function readsExponentials({ instructions }: Program, format: Format): boolean {
  return instructions.some((each) =>
    each.kind === "unary" && each.operation === "exp" &&
    narrowRow(instructions[each.arg]!, format) !== undefined
  );
}

const LAYOUT: Layout = {
  models: 1,
  statistics: 0,
  base: false,
  kinds: ["weights"],
  double: true,
  expanded: false,
};

/** Fills a table by sums of one exponential each. */
export function fillExponentials(engine: FusedEngine, { memory }: Kernels, table: number): void {
  const { run } = engine.compile("exponentials", LAYOUT, () =>
    reduceGraph(LAYOUT, (graph, x) => {
      const present = graph.node("Greater", [x.valid(), x.number(0)]);
      const powers = graph.node("Exp", [x.weights()]);
      return x.blockSums(graph.node("Where", [present, powers, x.number(0)]), 1);
    }, 1))!;
  const words = new Uint32Array(memory.buffer, table, 2 * NUMBERS);
  for (let bits = 0; bits < NUMBERS; bits++) {
    const place = table + 8 * bits;
    words[2 * bits] = bits << 16;
    run(1, place, 0, place, 0, 0, 0, place, 0, 0);
  }
}
