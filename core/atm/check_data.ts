/**
 * Looks through a shard before the first step, so that no run stops in the middle over its data.
 *
 * @module
 */
import { numbersOf } from "../onnx/element_type.ts";
import type { OnnxTensor } from "../onnx/model.ts";
import { Problem } from "../problem.ts";
import type { BoundData, Feed } from "./batches.ts";
import { type LabelRun, labelRuns } from "./label_runs.ts";

/**
 * Checks targets, such as that they are classes of the output.
 *
 * @param target Targets of neighbouring rows.
 * @param first Number of their first row.
 * @throws {Problem} If a target is refused.
 */
export type CheckTargets = (target: OnnxTensor, first: number) => void;

/** How data are looked through. */
export interface CheckOptions {
  readonly checkTargets?: CheckTargets;
  readonly signal?: AbortSignal;
}

/** What was seen of the data. */
export interface DataSeen {
  /** How the labels are mixed, if there is one class index a row. */
  readonly labels?: LabelRun;
}

/** About so many bytes are read at once. */
const CHUNK_BYTES = 1_048_576;

/**
 * Reads the targets, and those inputs that can hold values to be refused, from the first row to the last; at most
 * about 1 MiB of each at a time, unless one row is larger.
 *
 * @throws {Problem} At the first value that is refused, with `task`, `source`, `tensor` and `row`: see
 * {@linkcode Feed} and {@linkcode CheckTargets}.
 */
export async function checkData(
  data: BoundData,
  { checkTargets, signal }: CheckOptions = {},
): Promise<DataSeen> {
  for (const feed of data.inputs.values()) {
    if (feed.suspect) await visit(feed, data.rows, signal);
  }
  const { target } = data;
  const runs = target.type === "int64" && target.shape.length === 0 ? labelRuns() : undefined;
  await visit(target, data.rows, signal, (tensor, first) => {
    try {
      checkTargets?.(tensor, first);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      const { kind, message, members } = error;
      throw new Problem(kind, message, { ...data.origin, tensor: target.from, ...members }, error);
    }
    if (runs !== undefined) { for (const label of numbersOf(tensor)) runs.add(label); }
  });
  return runs === undefined ? {} : { labels: runs.result() };
}

async function visit(
  feed: Feed,
  rows: number,
  signal: AbortSignal | undefined,
  use: (tensor: OnnxTensor, first: number) => void = () => {},
): Promise<void> {
  const chunk = Math.max(1, Math.floor(CHUNK_BYTES / Math.max(1, feed.rowBytes)));
  for (let first = 0; first < rows; first += chunk) {
    signal?.throwIfAborted();
    const length = Math.min(chunk, rows - first);
    use(await feed.read(Uint32Array.from({ length }, (_, i) => first + i), signal), first);
  }
}
