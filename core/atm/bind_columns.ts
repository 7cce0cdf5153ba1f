/**
 * Binds the arrays of a shard to the inputs of a graph, and says everything that does not fit.
 *
 * @module
 */
import type { Dimension, ElementType, ValueInfo } from "../onnx/model.ts";
import { joinPath, show } from "../merge/faults.ts";
import { didYouMean } from "../merge/nearest.ts";
import { type Fault, Problem } from "../problem.ts";
import { elementCount } from "../tensor/dtype.ts";
import { type Casting, type FeedType, isFloating } from "./cast_values.ts";
import type { Shard, ShardColumn } from "./shard/shard.ts";
import type { InputBinding, TaskDocument } from "./task_document.ts";

/** An array of a shard that feeds a graph input or the loss. */
export interface BoundColumn {
  readonly column: ShardColumn;
  readonly casting: Casting;
  /** Shape of one row as it is fed. */
  readonly shape: readonly number[];
}

/** What feeds a graph. */
export interface Binding {
  /** By graph input, in the order of the graph. */
  readonly inputs: ReadonlyMap<string, BoundColumn>;
  /** Rows of every batch, if the graph fixes its first dimensions. */
  readonly batchRows?: number;
}

/** A fault of a binding; one that the shard's reader found brings its own problem. */
interface BindingFault extends Fault {
  readonly kind: "invalid-recipe" | "mismatch";
  readonly problem?: Problem;
}

/** Gathers faults. */
interface Binder {
  readonly shard: Shard;
  readonly task: TaskDocument;
  readonly path: string;
  readonly faults: BindingFault[];
  /** Sizes of the graph's named dimensions, and which input set them. */
  readonly sizes: Map<string, { readonly size: number; readonly input: string }>;
}

/**
 * Binds every graph input to the array that the task names for it, else to the one of its own name.
 *
 * @param graphInputs The inputs that the graph takes, without those that initializers stand for.
 * @param path Where the task stands in its document.
 * @throws {Problem} With every fault in `errors`: `invalid-recipe` if names are unknown, else `mismatch` if
 * shapes or types do not fit, or what the shard has against its only faulty array.
 */
export function bindInputs(
  shard: Shard,
  task: TaskDocument,
  graphInputs: readonly ValueInfo[],
  path: string,
): Binding {
  const binder: Binder = { shard, task, path, faults: [], sizes: new Map() };
  const inputs = new Map<string, BoundColumn>();
  for (const info of graphInputs) {
    const bound = bindInput(binder, info);
    if (bound !== undefined) inputs.set(info.name, bound);
  }
  const known = graphInputs.map(({ name }) => name);
  for (const name of Object.keys(task.inputs)) {
    if (known.includes(name)) continue;
    add(binder, "invalid-recipe", joinPath(joinPath(path, "inputs"), name), {
      message: `Cannot feed the graph as it has no input of this name${didYouMean(name, known)}: ` +
        `current value is ${show(name)}`,
    });
  }
  const batchRows = fixedRows(binder, graphInputs);
  throwFaults(binder.faults);
  return { inputs, ...(batchRows === undefined ? {} : { batchRows }) };
}

/**
 * Binds the array of the targets.
 *
 * @param type What the loss takes.
 * @throws {Problem} `invalid-recipe` if there is no such array, `mismatch` if it is text.
 */
export function bindTarget(
  shard: Shard,
  task: TaskDocument,
  type: FeedType,
  path: string,
): BoundColumn {
  const binder: Binder = { shard, task, path, faults: [], sizes: new Map() };
  const at = joinPath(joinPath(path, "target"), "from");
  const column = findColumn(binder, task.target.from, at, "the target");
  if (column?.type === "string") addText(binder, "the target", column, at);
  throwFaults(binder.faults);
  const casting = { from: column!.type, to: type, scale: 1, offset: 0 };
  return { column: column!, casting, shape: column!.shape };
}

function add(
  { faults }: Binder,
  kind: BindingFault["kind"],
  path: string,
  fault: { readonly message: string; readonly problem?: Problem },
): void {
  faults.push({ path, kind, ...fault });
}

function throwFaults(faults: readonly BindingFault[]): void {
  const [first] = faults;
  if (first === undefined) return;
  const errors = faults.map(({ path, message }) => ({ path, message }));
  if (first.problem !== undefined && faults.length === 1) {
    const { kind, message, members } = first.problem;
    throw new Problem(kind, message, { ...members, errors });
  }
  const kind = faults.find((fault) => fault.kind === "invalid-recipe")?.kind ?? "mismatch";
  const more = faults.length - 1;
  const detail = more === 0 ? "" : ` (and ${more} more ${more === 1 ? "fault" : "faults"})`;
  throw new Problem(kind, first.message + detail, { errors });
}

function bindInput(binder: Binder, info: ValueInfo): BoundColumn | undefined {
  const { name } = info;
  const given = Object.hasOwn(binder.task.inputs, name) ? binder.task.inputs[name] : undefined;
  const binding: InputBinding = given ?? { from: name, scale: 1, offset: 0 };
  const at = joinPath(joinPath(binder.path, "inputs"), name);
  const what = `the graph input ${JSON.stringify(name)}`;
  const column = findColumn(binder, binding.from, given === undefined ? at : `${at}.from`, what);
  if (column === undefined) return undefined;
  const to = feedType(binder, info, what, at);
  if (to === undefined) return undefined;
  if (column.type === "string") {
    addText(binder, what, column, at);
    return undefined;
  }
  checkScaling(binder, binding, to, what, at);
  const shape = rowShape(binder, binding, column, what, at);
  if (shape === undefined) return undefined;
  checkShape(binder, info, shape, column, at);
  const { scale, offset } = binding;
  return { column, casting: { from: column.type, to, scale, offset }, shape };
}

function findColumn(
  binder: Binder,
  from: string,
  path: string,
  what: string,
): ShardColumn | undefined {
  const { shard, task } = binder;
  const column = shard.columns.get(from);
  if (column !== undefined) return column;
  const problem = shard.refused?.get(from);
  if (problem !== undefined) {
    add(binder, "mismatch", path, { message: problem.message, problem });
    return undefined;
  }
  const names = [...shard.columns.keys()];
  add(binder, "invalid-recipe", path, {
    message: `Cannot feed ${what} as the shard ${JSON.stringify(task.shard)} has no array ` +
      `${JSON.stringify(from)}${didYouMean(from, names)}: current arrays are ${names.join(", ")}`,
  });
  return undefined;
}

function addText(binder: Binder, what: string, { name }: ShardColumn, path: string): void {
  add(binder, "mismatch", path, {
    message: `Cannot feed ${what} from ${JSON.stringify(name)} of the shard ` +
      `${JSON.stringify(binder.task.shard)} as it must hold numbers, such as the ids of tokens: ` +
      "current type is string",
  });
}

function feedType(
  binder: Binder,
  { type }: ValueInfo,
  what: string,
  path: string,
): FeedType | undefined {
  if (type !== undefined && type !== "string" && type !== "bfloat16") return type;
  add(binder, "mismatch", path, {
    message: `Cannot feed ${what} as it must be a tensor of numbers: current type is ` +
      (type ?? "none"),
  });
  return undefined;
}

function checkScaling(
  binder: Binder,
  { scale, offset }: InputBinding,
  to: ElementType,
  what: string,
  path: string,
): void {
  if (isFloating(to) || (scale === 1 && offset === 0)) return;
  add(binder, "invalid-recipe", path, {
    message: `Cannot scale ${what} as only inputs of floating-point numbers take scale and ` +
      `offset: current type is ${to}`,
  });
}

function rowShape(
  binder: Binder,
  binding: InputBinding,
  column: ShardColumn,
  what: string,
  path: string,
): readonly number[] | undefined {
  const given = binding.shape?.slice(1);
  if (given === undefined) return column.shape;
  const elements = elementCount(column.shape);
  if (elementCount(given) === elements) return given;
  add(binder, "mismatch", joinPath(path, "shape"), {
    message: `Cannot give ${what} this shape as a row of ${JSON.stringify(column.name)} has ` +
      `${elements} elements: current value is ${shown(given)}`,
  });
  return undefined;
}

/** The rows' shape must be what the graph declares; its free dimensions take the sizes of the shard. */
function checkShape(
  binder: Binder,
  { name, shape: declared }: ValueInfo,
  shape: readonly number[],
  column: ShardColumn,
  path: string,
): void {
  if (declared === undefined) return;
  const [, ...wanted] = declared;
  const fits = declared.length > 0 && wanted.length === shape.length &&
    wanted.every((size, i) => typeof size === "string" || size === shape[i]);
  if (!fits) {
    const could = wanted.every((size) => typeof size === "number") &&
      elementCount(wanted) === elementCount(shape);
    add(binder, "mismatch", path, {
      message: `Cannot feed the graph input ${JSON.stringify(name)} from ` +
        `${JSON.stringify(column.name)} of the shard ${JSON.stringify(binder.task.shard)} as its ` +
        `shape must be ${declaredShape(declared)}` +
        (could ? `, which "shape": ${JSON.stringify([-1, ...wanted])} would make of it` : "") +
        `: current shape is ${shown(shape)}`,
    });
    return;
  }
  for (const [i, size] of wanted.entries()) {
    if (typeof size === "number" || size === "") continue;
    const known = binder.sizes.get(size);
    if (known === undefined) binder.sizes.set(size, { size: shape[i]!, input: name });
    else if (known.size !== shape[i]) {
      add(binder, "mismatch", path, {
        message: `Cannot feed the graph input ${JSON.stringify(name)} as its dimension ` +
          `${JSON.stringify(size)} must be ${known.size}, as for ${JSON.stringify(known.input)}: ` +
          `current value is ${shape[i]}`,
      });
    }
  }
}

/** A first dimension that the graph fixes is the number of rows of every batch. */
function fixedRows(binder: Binder, graphInputs: readonly ValueInfo[]): number | undefined {
  let fixed: { readonly rows: number; readonly input: string } | undefined;
  for (const { name, shape } of graphInputs) {
    const rows = shape?.[0];
    if (typeof rows !== "number") continue;
    fixed ??= { rows, input: name };
    if (fixed.rows === rows) continue;
    add(binder, "mismatch", joinPath(joinPath(binder.path, "inputs"), name), {
      message: `Cannot feed the graph as its inputs must take equally many rows, as ` +
        `${JSON.stringify(fixed.input)} takes ${fixed.rows}: current value of ` +
        `${JSON.stringify(name)} is ${rows}`,
    });
  }
  return fixed?.rows;
}

function shown(shape: readonly number[]): string {
  return `[${["N", ...shape].join(", ")}]`;
}

function declaredShape(shape: readonly Dimension[]): string {
  if (shape.length === 0) return "[]";
  return `[${["N", ...shape.slice(1).map((size) => size === "" ? "?" : size)].join(", ")}]`;
}
