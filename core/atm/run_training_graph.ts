/**
 * `POST /training-graph` without HTTP: the training graph itself, to be taken home.
 *
 * @module
 */
import { activeValues } from "../gradient/differentiate.ts";
import { EXPANSIONS } from "../gradient/expansions/mod.ts";
import type { Typed } from "../gradient/observe.ts";
import { dataInputs, type ParametricModel } from "../gradient/parameters.ts";
import { prepareForward } from "../gradient/prepare_forward.ts";
import { trainingGraph } from "../gradient/training_graph.ts";
import { elementBytes } from "../onnx/element_type.ts";
import type { OnnxTensor } from "../onnx/model.ts";
import { writeModel } from "../onnx/write_model.ts";
import { Problem } from "../problem.ts";
import { RUN_COPIES } from "../sources/open_model.ts";
import { VERSION } from "../version.ts";
import { openGraph, openNamed, openTaskModel } from "./open_task.ts";
import { trainableParameters } from "./trainable.ts";
import type { TuneDocument } from "./tune_document.ts";
import { graphNames } from "./tune_document.ts";
import type { TuneContext } from "./run_tune.ts";
import { withTaskSources } from "./with_sources.ts";

/** What is fed to the graph, for the file's metadata. */
interface Description {
  /** Names of inputs by tensor of the checkpoint. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly trained: readonly string[];
  readonly state: readonly string[];
  readonly batch_size: number;
}

/**
 * Builds the training graph of a document for batches of `local.batch_size` rows.
 *
 * It is fed with the graph's own data inputs, `target`, every parameter under its name, the optimizer's state
 * (zeros at first), and scalars float64: `learning_rate`, `step` and so on. It answers `loss` and for every trained
 * parameter and state NAME the new value `updated.NAME`. All names stand in the file's metadata.
 *
 * @throws {Problem} Whatever is wrong with document, sources or model; `mismatch` if a data input has a free
 *   dimension that neither the model nor `task.inputs.NAME.shape` fixes.
 */
export async function runTrainingGraph(
  document: TuneDocument,
  context: Pick<TuneContext, "ports" | "uploads" | "signal">,
): Promise<Uint8Array<ArrayBuffer>> {
  const named = { names: graphNames(document), entries: document.sources };
  const workspace = context.ports.openWorkspace();
  return await withTaskSources(workspace, named, context, async (sources) => {
    const { task, local } = document;
    const graph = await openGraph(sources, document.model, RUN_COPIES);
    const start = await openNamed(sources, document.start);
    const model = await openTaskModel(
      sources,
      graph,
      task,
      start,
      await openNamed(sources, document.exportedWith),
    );
    const rows = local.batchSize;
    const trainable = new Set(
      [...trainableParameters(model, document.trainable)]
        .map((name) => model.parameters.get(name)!.input),
    );
    const parameters = new Map<string, Typed>();
    for (const { input, shape } of model.parameters.values()) {
      parameters.set(input, { type: "float32", shape });
      await workspace.place({ [input]: zeros(shape) });
    }
    const forward = await prepareForward(workspace, {
      model: model.model,
      data: inputShapes(model, document, rows),
      parameters,
      output: model.output,
      trainable,
      expansions: EXPANSIONS,
    });
    const output = forward.values.get(model.output)!;
    if (!activeValues(forward, trainable).has(model.output)) {
      throw new Problem(
        "mismatch",
        `Cannot train as the output depends on no trainable tensor: current value is ${model.output}`,
      );
    }
    const target: Typed = task.loss.name === "cross_entropy"
      ? { type: "int64", shape: output.shape.slice(0, -1) }
      : { type: "float32", shape: output.shape };
    const made = trainingGraph(
      { forward, output: model.output, loss: task.loss, target },
      trainable,
      {
        loss: task.loss,
        optimizer: local.optimizer,
        clip: local.clipNorm > 0,
        proximal: local.proximal > 0,
      },
    );
    const description: Description = {
      parameters: Object.fromEntries(
        [...model.parameters.values()].map(({ name, input }) => [name, input]),
      ),
      trained: made.trained,
      state: made.state.map(({ name }) => name),
      batch_size: rows,
    };
    return writeModel({
      ...made.builder.model(),
      metadata: {
        "amalgam.version": VERSION,
        "amalgam.training": JSON.stringify(description),
      },
    });
  });
}

function zeros(shape: readonly number[]): OnnxTensor {
  const count = shape.reduce((product, size) => product * size, 1);
  return { type: "float32", shape, bytes: new Uint8Array(count * elementBytes("float32")) };
}

/** The shapes of the data inputs: what the document says, else what the model declares, rows first. */
function inputShapes(
  model: ParametricModel,
  { task }: TuneDocument,
  rows: number,
): Map<string, Typed> {
  const shapes = new Map<string, Typed>();
  for (const { name, type = "float32", shape } of dataInputs(model)) {
    const given = task.inputs[name]?.shape?.slice(1);
    const declared = shape?.slice(1);
    const sizes = given ?? declared;
    if (!sizes || !sizes.every((size) => typeof size === "number")) {
      throw new Problem(
        "mismatch",
        `Cannot fix the shape of the input ${name} as its dimensions after the rows are free, say them as ` +
          `task.inputs.${name}.shape: current value is [${shape?.join(", ") ?? ""}]`,
        { input: name },
      );
    }
    shapes.set(name, { type, shape: [rows, ...sizes] });
  }
  return shapes;
}
