/**
 * How programs read rows of which only the magnitudes inside a cut are kept.
 *
 * @module
 */
import { address, type Emission } from "./emit_reads.ts";
import { type Format, loadFloats, type RowCut } from "./formats.ts";
import { DIVERSE, F32, INTEGER } from "./opcodes.ts";
import { parameter } from "./parameters.ts";
import { argumentsOf, type Program } from "./program.ts";
import { integers, unsigned } from "./wasm_code.ts";

/** Where a program cuts its rows. */
export interface CutPlan {
  /** By instruction, the row that is cut as it is read. */
  readonly reads: ReadonlyMap<number, number>;
  /** By instruction, the row whose task vector is cut: nothing else is made of that row. */
  readonly differences: ReadonlyMap<number, number>;
  /** Rows that are not watched as they are read, and whether the base is not: what is cut is. */
  readonly unwatched: ReadonlySet<number>;
  readonly baseUnwatched: boolean;
}

/** Plans the cuts of a program. */
export function planCuts({ instructions, results, rows }: Program, format: Format): CutPlan {
  const reads = new Map<number, number>();
  const differences = new Map<number, number>();
  const cuts = format.cuts ?? [];
  const unwatched = new Set<number>();
  instructions.forEach((instruction, index) => {
    if (instruction.kind !== "row" || instruction.unselected || !cuts[instruction.row]) return;
    const { row } = instruction;
    unwatched.add(index);
    const uses = instructions.flatMap((each, i) => argumentsOf(each).includes(index) ? [i] : []);
    const compared = format.agreeing > 1 && rows.includes(index);
    const alone = !compared && !results.includes(index) && uses.every((i) => {
      const use = instructions[i]!;
      return use.kind === "binary" && use.operation === "sub" && use.args[0] === index &&
        instructions[use.args[1]]!.kind === "base";
    });
    if (alone && isBased(cuts[row]!)) uses.forEach((i) => differences.set(i, row));
    else reads.set(index, row);
  });
  const based = cuts.some((cut) => cut && isBased(cut));
  return { reads, differences, unwatched, baseUnwatched: based };
}

/** Reads elements of which only those inside a cut are kept; the others take the value of the row's origin. */
export function readCutRow(emission: Emission, row: number, cut: RowCut): void {
  const { code, format, room } = emission;
  const [value, origin] = room as [number, number];
  address(code, "x", "stride", row, format.rows[row]!);
  loadFloats(code, format.rows[row]!, false, "whole", room.slice(2));
  code.set(value);
  if (!isBased(cut)) return cutTaskVector(emission, row, cut, value);
  address(code, "base", "stride", 0, format.base);
  loadFloats(code, format.base, false, "whole", room.slice(2));
  code.set(origin);
  code.get(value);
  code.get(origin);
  code.get(value);
  code.get(origin);
  code.simd(F32.sub);
  insideCut(emission, row, cut);
  code.simd(DIVERSE.bitselect);
}

/** Takes the task vector of a row from the stack and cuts it: what is dropped becomes 0. */
export function cutDifference(emission: Emission, row: number, cut: RowCut): void {
  const [value] = emission.room as [number];
  emission.code.set(value);
  cutTaskVector(emission, row, cut, value);
}

function cutTaskVector(emission: Emission, row: number, cut: RowCut, value: number): void {
  const { code } = emission;
  code.get(value);
  code.get(value);
  insideCut(emission, row, cut);
  code.simd(INTEGER.and);
}

/** Whether a row keeps the difference on the stack; what is not finite is watched for here, as it may be dropped. */
function insideCut({ code, format, largest, room }: Emission, row: number, cut: RowCut): void {
  const magnitude = room[2]!;
  const bound = (index: number) => {
    code.get(parameter("cuts"));
    code.simd(DIVERSE.load32Splat, 0, ...unsigned(8 * row + 4 * index));
  };
  integers(code, 0x7fffffff);
  code.simd(INTEGER.and);
  code.set(magnitude);
  if (format.watched) {
    code.get(largest);
    code.get(magnitude);
    code.simd(INTEGER.maximum32);
    code.set(largest);
  }
  code.get(magnitude);
  bound(0);
  code.simd(INTEGER.greaterOrEqual32);
  if (!cut.endsWith("band")) return;
  bound(1);
  code.get(magnitude);
  code.simd(INTEGER.greater32);
  code.simd(INTEGER.and);
}

/** Whether the origin of a cut is the base. */
function isBased(cut: RowCut): boolean {
  return cut.startsWith("base");
}
