/**
 * Gathers the diagonal Fisher information `Σ_x Σ_y p(y|x) (∂ log p(y|x) / ∂θ)²`, row by row (Matena and Raffel
 * 2021, arXiv 2111.09832; METHODS.md 9.1).
 *
 * @module
 */
import { EXPANSIONS } from "../gradient/expansions/mod.ts";
import type { Typed } from "../gradient/observe.ts";
import { prepareForward } from "../gradient/prepare_forward.ts";
import { numbersOf } from "../onnx/element_type.ts";
import type { OnnxTensor, Value } from "../onnx/model.ts";
import { Problem } from "../problem.ts";
import { randomKey, randomWord, type Words } from "../tensor/random.ts";
import {
  CHOSEN,
  fisherGraph,
  type Outcomes,
  outcomesOf,
  PROBABILITIES,
  probabilityGraph,
  sumOf,
} from "./fisher_graph.ts";
import type { Gathering } from "./gathering.ts";

/** Sums over the rows, by the parameter's name. */
export interface FisherSums {
  readonly sums: ReadonlyMap<string, Float64Array>;
  /** Wanted parameters on which the output does not depend. */
  readonly unreached: readonly string[];
}

/** How the outcomes of a row are taken. */
export interface FisherOptions {
  readonly outcomes: "all" | "sample";
  readonly seed: number;
  /** The task's name, part of the random stream's key. */
  readonly task: string;
}

const TERM = "fisher";
const PROBABILITY = "fisher probabilities";

/**
 * Runs every row by itself, forwards and backwards. The workspace must keep the parameters.
 *
 * The outcomes of an output `[1, T, C]` are those of T places that are independent given the row, so that the
 * information is the sum of theirs.
 *
 * @throws {Problem} `unsupported-operator`, `mismatch`, or what is wrong with the data.
 * @throws The signal's reason, within one run.
 */
export async function gatherFisher(
  gathering: Gathering,
  { outcomes, seed, task }: FisherOptions,
): Promise<FisherSums> {
  const { workspace, model, data, rows, wanted, signal, onRows } = gathering;
  if (data.batchRows !== undefined && data.batchRows !== 1) {
    throw new Problem(
      "mismatch",
      `Cannot take the Fisher information as the graph must take single rows, export it with a free first ` +
        `dimension: current value is ${data.batchRows}`,
    );
  }
  const parameters = [...model.parameters.values()];
  const inputs = new Set(parameters.filter(({ name }) => wanted.has(name)).map((p) => p.input));
  const forward = await prepareForward(workspace, {
    model: model.model,
    output: model.output,
    data: new Map(
      [...data.inputs].map(([name, { type, shape }]): [Value, Typed] => [
        name,
        { type, shape: [1, ...shape] },
      ]),
    ),
    parameters: new Map(
      parameters.map(({ input, shape }) => [input, { type: "float32", shape }]),
    ),
    trainable: inputs,
    expansions: EXPANSIONS,
  });
  const shape = outcomesOf(forward, model.output);
  const isDrawn = outcomes === "sample";
  const { builder, reached } = fisherGraph(forward, model.output, inputs, isDrawn);
  await workspace.load(TERM, builder.serialize());
  if (isDrawn) {
    await workspace.load(PROBABILITY, probabilityGraph(forward, model.output).serialize());
  }
  for (const name of reached) {
    await workspace.place({ [sumOf(name)]: zeros(forward.values.get(name)!.shape) });
  }
  const key = await randomKey(seed, "sample", task, "outcomes");
  let done = 0;
  for (const row of rows) {
    const feeds = await data.read(Uint32Array.of(row), signal);
    const choices = isDrawn
      ? [drawn(await workspace.run(PROBABILITY, feeds), shape, key, row)]
      : everyOutcome(shape);
    for (const chosen of choices) {
      signal.throwIfAborted();
      await workspace.run(TERM, { ...feeds, [CHOSEN]: chosen });
    }
    onRows?.(++done);
  }
  const read = await workspace.read(reached.map(sumOf));
  await workspace.unload(TERM);
  await workspace.unload(PROBABILITY);
  const named = parameters.filter(({ input }) => inputs.has(input));
  const found = new Set(reached);
  return {
    sums: new Map(
      named.filter(({ input }) => found.has(input)).map(({ name, input }) => [
        name,
        new Float64Array(read[sumOf(input)]!.bytes.slice().buffer),
      ]),
    ),
    unreached: named.filter(({ input }) => !found.has(input)).map(({ name }) => name),
  };
}

function* everyOutcome({ places, classes }: Outcomes): Generator<OnnxTensor> {
  for (let outcome = 0; outcome < places * classes; outcome++) {
    const chosen = new Float32Array(places * classes);
    chosen[outcome] = 1;
    yield oneHot(chosen, places, classes);
  }
}

/** One class for each place: the first whose cumulative probability exceeds a uniform draw. */
function drawn(
  answer: Readonly<Record<string, OnnxTensor>>,
  { places, classes }: Outcomes,
  key: Words,
  row: number,
): OnnxTensor {
  const probabilities = numbersOf(answer[PROBABILITIES]!);
  const chosen = new Float32Array(places * classes);
  for (let place = 0; place < places; place++) {
    const uniform = (randomWord(key, row * places + place) >>> 8) / 2 ** 24;
    const own = probabilities.slice(place * classes, (place + 1) * classes);
    const total = own.reduce((sum, value) => sum + value, 0);
    let sum = 0;
    const found = own.findIndex((value) => (sum += value) > uniform * total);
    chosen[place * classes + (found < 0 ? classes - 1 : found)] = 1;
  }
  return oneHot(chosen, places, classes);
}

function oneHot(values: Float32Array<ArrayBuffer>, places: number, classes: number): OnnxTensor {
  return { type: "float32", shape: [places, classes], bytes: new Uint8Array(values.buffer) };
}

function zeros(shape: readonly number[]): OnnxTensor {
  const count = shape.reduce((product, size) => product * size, 1);
  return { type: "float64", shape, bytes: new Uint8Array(8 * count) };
}
