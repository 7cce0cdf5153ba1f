/**
 * A model at work on one task: parameters and optimizer state in a workspace, a training and an evaluation graph
 * for every batch size that occurs.
 *
 * @module
 */
import type { Checkpoint } from "../checkpoint/checkpoint.ts";
import type { Workspace } from "../engine/workspace.ts";
import { EXPANSIONS } from "../gradient/expansions/mod.ts";
import type { LossSpec } from "../gradient/loss_options.ts";
import type { ObservedGraph, Typed } from "../gradient/observe.ts";
import { type ParametricModel, readValues } from "../gradient/parameters.ts";
import { prepareForward } from "../gradient/prepare_forward.ts";
import {
  evaluationGraph,
  type StepSpec,
  TARGET,
  type TrainingGraph,
  trainingGraph,
} from "../gradient/training_graph.ts";
import { numbersOf, tensorOf } from "../onnx/element_type.ts";
import type { OnnxTensor, Value } from "../onnx/model.ts";
import type { Batch, TaskData } from "./task_data.ts";

/** What one batch gave. */
export interface BatchResult {
  /** Mean loss over the counted targets. */
  readonly loss: number;
  /** Number of counted targets. */
  readonly counted: number;
  /** How many of them were predicted right. */
  readonly correct: number;
}

/** Graphs that learners of one workspace have in common, if they differ only in their rows and values. */
export interface SharedGraphs {
  readonly forwards: Map<number, Promise<ObservedGraph>>;
  readonly steps: Map<number, Pick<TrainingGraph, "trained" | "unreached" | "state">>;
  readonly evaluating: Set<number>;
}

/** No graphs yet. */
export function sharedGraphs(): SharedGraphs {
  return { forwards: new Map(), steps: new Map(), evaluating: new Set() };
}

/** What a learner works on. */
export interface LearnerRequest {
  /** May be shared by learners that work one after the other: each places its parameters when it begins. */
  readonly workspace: Workspace;
  /** Tells the graphs of learners that share a workspace apart; default none. */
  readonly prefix?: string;
  /** The graphs of this prefix. */
  readonly graphs?: SharedGraphs;
  readonly model: ParametricModel;
  readonly data: TaskData;
  readonly loss: LossSpec;
  /** Names of the parameters to train. */
  readonly trainable: ReadonlySet<string>;
}

/** A model at work on one task. */
export interface Learner {
  /**
   * Places the parameters; state that an optimizer left behind is forgotten.
   *
   * @param weights Where values come from instead of the model's own, for all but tensors private to the task.
   */
  place(signal: AbortSignal, weights?: Checkpoint): Promise<void>;
  /** Places the tensors that are private to the task, and leaves all others as they are. */
  placePrivate(signal: AbortSignal): Promise<void>;
  /**
   * Makes ready for batches of this many rows, with the optimizer's state at zero. Parameters must be placed.
   *
   * @throws {Problem} `unsupported-operator`, `mismatch`: see `trainingGraph`.
   */
  prepareStep(rows: number, step: StepSpec): Promise<void>;
  /** One step of the optimizer. The size must have been prepared. */
  step(batch: Batch, feeds: Readonly<Record<string, number>>): Promise<BatchResult>;
  /** Type and shape of the output that the loss reads, for a batch of this many rows. */
  output(rows: number): Promise<Typed>;
  /** Loss and accuracy of a batch, of any size. */
  evaluate(batch: Batch): Promise<BatchResult>;
  /** Names of the parameters that steps change, and of those trainable ones that the loss does not reach. */
  trained(): { readonly trained: readonly string[]; readonly unreached: readonly string[] };
  /** The current values of parameters by name, float32. */
  values(names: readonly string[]): Promise<ReadonlyMap<string, OnnxTensor>>;
}

/** A learner; nothing is placed yet. */
export function openLearner(request: LearnerRequest): Learner {
  const { workspace, model, data, loss, trainable, prefix = "" } = request;
  const parameters = [...model.parameters.values()];
  const inputs = new Map(parameters.map(({ name, input }) => [name, input]));
  const names = new Map(parameters.map(({ name, input }) => [input, name]));
  const wanted = new Set([...trainable].map((name) => inputs.get(name)!));
  const { forwards, steps, evaluating } = request.graphs ?? sharedGraphs();
  const forwardOf = (rows: number) => {
    const known = forwards.get(rows);
    if (known) return known;
    const made = prepareForward(workspace, {
      model: model.model,
      output: model.output,
      data: new Map([...data.inputs].map(([name, typed]) => [name, withRows(typed, rows)])),
      parameters: new Map(
        parameters.map(({ input, shape }) => [input, { type: "float32" as const, shape }]),
      ),
      trainable: wanted,
      expansions: EXPANSIONS,
    });
    forwards.set(rows, made);
    return made;
  };
  const lossRequest = async (rows: number) => ({
    forward: await forwardOf(rows),
    output: model.output,
    loss,
    target: withRows(data.target, rows),
  });
  const stepKey = (rows: number) => `${prefix}step ${rows}`;
  let outcome = { trained: [] as string[], unreached: [] as string[] };

  return {
    async place(signal, weights) {
      for (const parameter of parameters) {
        const stored = parameter.frozen === "private"
          ? undefined
          : weights?.tensors.get(parameter.name);
        const values = stored ? await readValues(stored, signal) : await parameter.read(signal);
        await workspace.place({ [parameter.input]: tensorFrom(parameter.shape, values) });
      }
    },
    async placePrivate(signal) {
      for (const { input, shape, frozen, read } of parameters) {
        if (frozen !== "private") continue;
        await workspace.place({ [input]: tensorFrom(shape, await read(signal)) });
      }
    },
    async prepareStep(rows, step) {
      const key = stepKey(rows);
      let made = steps.get(rows);
      if (!made) {
        const { builder, ...told } = trainingGraph(await lossRequest(rows), wanted, step);
        await workspace.load(key, builder.serialize());
        steps.set(rows, made = told);
      }
      const zero: Record<Value, OnnxTensor> = {};
      for (const { name, shape } of made.state) zero[name] = zeros(shape);
      await workspace.place(zero);
      if (step.proximal) {
        const held = await workspace.read(made.trained);
        await workspace.place(
          Object.fromEntries(made.trained.map((name) => [`anchor.${name}`, held[name]!])),
        );
      }
      outcome = {
        trained: made.trained.map((input) => names.get(input)!),
        unreached: made.unreached.map((input) => names.get(input)!),
      };
    },
    async step(batch, feeds) {
      const scalars: Record<Value, OnnxTensor> = {};
      for (const [name, value] of Object.entries(feeds)) {
        scalars[name] = tensorOf("float64", [], [value]);
      }
      return resultOf(
        await workspace.run(stepKey(rowsOf(batch)), {
          ...feedsOf(batch),
          ...scalars,
        }),
      );
    },
    async evaluate(batch) {
      const rows = rowsOf(batch);
      const key = `${prefix}evaluate ${rows}`;
      if (!evaluating.has(rows)) {
        await workspace.load(key, evaluationGraph(await lossRequest(rows)).serialize());
        evaluating.add(rows);
      }
      return resultOf(await workspace.run(key, feedsOf(batch)));
    },
    output: async (rows) => (await forwardOf(rows)).values.get(model.output)!,
    trained: () => outcome,
    async values(wanted) {
      const held = await workspace.read(wanted.map((name) => inputs.get(name)!));
      return new Map(wanted.map((name) => [name, held[inputs.get(name)!]!]));
    },
  };
}

function tensorFrom(shape: readonly number[], values: Float32Array<ArrayBuffer>): OnnxTensor {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return { type: "float32", shape, bytes };
}

function withRows({ type, shape }: Typed, rows: number): Typed {
  return { type, shape: [rows, ...shape] };
}

function feedsOf({ inputs, target }: Batch): Record<Value, OnnxTensor> {
  return { ...inputs, [TARGET]: target };
}

function rowsOf(batch: Batch): number {
  return batch.target.shape[0] ?? 0;
}

function zeros(shape: readonly number[]): OnnxTensor {
  const count = shape.reduce((product, size) => product * size, 1);
  return { type: "float32", shape, bytes: new Uint8Array(4 * count) };
}

function resultOf(outputs: Readonly<Record<string, OnnxTensor>>): BatchResult {
  const number = (name: string) => numbersOf(outputs[name]!)[0] ?? NaN;
  return { loss: number("loss"), counted: number("counted"), correct: number("correct") };
}
