/**
 * Batches of a shard as a graph takes them.
 *
 * @module
 */
import type { Typed } from "../gradient/observe.ts";
import type { OnnxTensor, Value, ValueInfo } from "../onnx/model.ts";
import { Problem } from "../problem.ts";
import { elementCount } from "../tensor/dtype.ts";
import { elementBytes } from "../onnx/element_type.ts";
import { bindInputs, bindTarget, type BoundColumn } from "./bind_columns.ts";
import { CastFault, castValues, type FeedType, mayFail } from "./cast_values.ts";
import type { RowIndices } from "./shard/read_rows.ts";
import type { Shard } from "./shard/shard.ts";
import type { TaskData } from "./task_data.ts";
import type { TaskDocument } from "./task_document.ts";

/** An array of a shard on its way into a graph. */
export interface Feed extends Typed {
  /** Name of the array. */
  readonly from: string;
  /** Bytes of one row as it is fed. */
  readonly rowBytes: number;
  /** Whether the array can hold values that must be refused. */
  readonly suspect: boolean;
  /**
   * Reads and casts rows.
   *
   * @throws {Problem} `non-finite` if a value is NaN or infinite, `mismatch` if it does not fit the type; both
   * with `source`, `tensor`, `row` and `value`. Else as the shard's columns do.
   */
  read(indices: RowIndices, signal?: AbortSignal): Promise<OnnxTensor>;
}

/** A shard bound to a graph. Batches are read as {@linkcode Feed} reads. */
export interface BoundData extends TaskData {
  /** The task's name and the shard's, as problems carry them. */
  readonly origin: { readonly task: string; readonly source: string };
  readonly inputs: ReadonlyMap<Value, Feed>;
  readonly target: Feed;
  /** Rows of every batch, if the graph fixes its first dimensions. */
  readonly batchRows?: number;
}

/** A shard bound to the inputs of a graph, without targets. */
export interface BoundInputs {
  readonly rows: number;
  readonly inputs: ReadonlyMap<Value, Feed>;
  /** Rows of every batch, if the graph fixes its first dimensions. */
  readonly batchRows?: number;
  /** Reads rows by index, in the order asked, as {@linkcode Feed} reads. */
  read(
    indices: RowIndices,
    signal?: AbortSignal,
  ): Promise<Readonly<Record<Value, OnnxTensor>>>;
}

/** How a task's data are opened. */
export interface TaskDataOptions {
  /** Where the task stands in its document, for faults; default `task`. */
  readonly path?: string;
}

/**
 * Binds a shard to a graph as a task says: columns to inputs by name, each scaled, shaped and cast to what the
 * input takes. Class indices become int64, other targets float32.
 *
 * @param graphInputs The inputs that the graph takes, without those that initializers stand for.
 * @throws {Problem} With every fault of the inputs in `errors`, see {@linkcode bindInputs} and
 * {@linkcode bindTarget}.
 */
export function openTaskData(
  shard: Shard,
  task: TaskDocument,
  graphInputs: readonly ValueInfo[],
  { path = "task" }: TaskDataOptions = {},
): BoundData {
  const { read, ...bound } = openTaskInputs(shard, task, graphInputs, { path });
  const classes = task.loss.name === "cross_entropy";
  const target = feedOf(task, bindTarget(shard, task, classes ? "int64" : "float32", path));
  return {
    origin: { task: task.name, source: task.shard },
    ...bound,
    target,
    async batch(indices, signal) {
      const [targets, inputs] = await Promise.all([
        target.read(indices, signal),
        read(indices, signal),
      ]);
      return { inputs, target: targets };
    },
  };
}

/**
 * Binds the inputs of a graph alone, for rows whose targets are not asked for.
 *
 * @param graphInputs The inputs that the graph takes, without those that initializers stand for.
 * @throws {Problem} With every fault in `errors`, see {@linkcode bindInputs}.
 */
export function openTaskInputs(
  shard: Shard,
  task: TaskDocument,
  graphInputs: readonly ValueInfo[],
  { path = "task" }: TaskDataOptions = {},
): BoundInputs {
  const binding = bindInputs(shard, task, graphInputs, path);
  const inputs = new Map<string, Feed>();
  for (const [name, bound] of binding.inputs) inputs.set(name, feedOf(task, bound));
  return {
    rows: shard.rows,
    inputs,
    ...(binding.batchRows === undefined ? {} : { batchRows: binding.batchRows }),
    async read(indices, signal) {
      const named = [...inputs];
      const values = await Promise.all(named.map(([, feed]) => feed.read(indices, signal)));
      return Object.fromEntries(named.map(([name], i) => [name, values[i]!]));
    },
  };
}

/** Names of the arrays that the model sees, in the order of its inputs' names: what a row's hash is made of. */
export function inputColumns(data: BoundData): string[] {
  return [...data.inputs].sort(([a], [b]) => a < b ? -1 : 1).map(([, { from }]) => from);
}

function feedOf(task: TaskDocument, { column, casting, shape }: BoundColumn): Feed {
  const elements = elementCount(shape);
  return {
    from: column.name,
    type: casting.to,
    shape,
    rowBytes: elements * elementBytes(casting.to),
    suspect: mayFail(casting),
    async read(indices, signal) {
      const bytes = await column.read(indices, signal);
      try {
        const { buffer, byteOffset, byteLength } = castValues(bytes, casting);
        return {
          type: casting.to,
          shape: [indices.length, ...shape],
          bytes: new Uint8Array(buffer, byteOffset, byteLength),
        };
      } catch (error) {
        if (!(error instanceof CastFault)) throw error;
        const row = indices[Math.floor(error.index / elements)]!;
        throw valueProblem(task, column.name, casting.to, row, error);
      }
    },
  };
}

function valueProblem(
  task: TaskDocument,
  tensor: string,
  type: FeedType,
  row: number,
  { must, nonFinite, value }: CastFault,
): Problem {
  return new Problem(
    nonFinite ? "non-finite" : "mismatch",
    `Cannot use the array ${JSON.stringify(tensor)} of the shard ${
      JSON.stringify(task.shard)
    } in the ` +
      `task ${
        JSON.stringify(task.name)
      } as each value ${must} to be fed as ${type}: current value ` +
      `in row ${row} is ${value}`,
    // JSON has neither NaN nor 64-bit integers.
    { source: task.shard, task: task.name, tensor, row, value: String(value) },
  );
}
