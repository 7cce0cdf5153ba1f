/**
 * `deno task bench:tune`: one step of tuning beside PyTorch on one thread, and how far tuning gets.
 *
 * Options: `--models cnn,vit --steps 20 --python python3` for the speed (without PyTorch the ratio is left out);
 * `--converge FOLDER --sets mnist,fashion --epochs 10` tunes through HTTP on the train shards of that folder and
 * scores on its test shards.
 *
 * @module
 */
import { converge } from "./converge.ts";
import { pytorchStep } from "./pytorch.ts";
import { measureSteps } from "./steps.ts";

function option(name: string, fallback: string): string {
  const at = Deno.args.indexOf(`--${name}`);
  return at < 0 ? fallback : Deno.args[at + 1] ?? fallback;
}

/** How often ours and theirs are measured in turn, so that both see the same machine. */
const TURNS = 3;

const models = option("models", "cnn,vit").split(",");
const folder = option("converge", "");

if (folder === "") {
  const python = option("python", "python3");
  console.log(
    "| model | parameters | ours, ms a step | outside ONNX Runtime | PyTorch, ms | ratio |",
  );
  console.log("|---|---|---|---|---|---|");
  for (const model of models) {
    const ours: number[] = [];
    const theirs: number[] = [];
    let outside = 0;
    let parameters = 0;
    for (let turn = 0; turn < TURNS; turn++) {
      const measured = await measureSteps(model, Number(option("steps", "12")));
      ours.push(measured.milliseconds);
      outside = Math.max(outside, measured.outside);
      parameters = measured.parameters;
      const milliseconds = await pytorchStep(python, model);
      if (milliseconds !== undefined) theirs.push(milliseconds);
    }
    const median = (values: number[]) => values.toSorted((a, b) => a - b)[values.length >> 1]!;
    const other = theirs.length > 0 ? median(theirs) : undefined;
    const columns = [
      model,
      String(parameters),
      median(ours).toFixed(1),
      `${(100 * outside).toFixed(1)} %`,
      other === undefined ? "not installed" : other.toFixed(1),
      other === undefined ? "" : (median(ours) / other).toFixed(2),
    ];
    console.log(`| ${columns.join(" | ")} |`);
  }
} else {
  console.log("| model | data | epochs | test accuracy | seconds |");
  console.log("|---|---|---|---|---|");
  for (const model of models) {
    for (const set of option("sets", "mnist,fashion").split(",")) {
      const epochs = Number(option("epochs", "10"));
      const { accuracy, seconds } = await converge(folder, model, set, epochs);
      const percent = (100 * accuracy).toFixed(2);
      console.log(`| ${model} | ${set} | ${epochs} | ${percent} % | ${seconds.toFixed(0)} |`);
    }
  }
}
