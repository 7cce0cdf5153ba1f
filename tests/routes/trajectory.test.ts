import { assert, assertEquals } from "@std/assert";
import { readValues } from "../../core/gradient/parameters.ts";
import { testApp } from "../support/service.ts";
import { checkpointOf, postDocument, type Upload } from "../support/tuning.ts";

const FOLDER = new URL("../../fixtures/gradient/models/", import.meta.url);
const NEVER = new AbortController().signal;

interface Run {
  readonly name: string;
  readonly local: Record<string, unknown>;
  readonly loss_values: readonly number[];
  readonly expected: string;
}

const { runs, inputs, output, loss }: {
  runs: readonly Run[];
  inputs: readonly string[];
  output: string;
  loss: string;
} = JSON.parse(Deno.readTextFileSync(new URL("trajectory.json", FOLDER)));

async function upload(part: string, file: string): Promise<Upload> {
  return [part, await Deno.readFile(new URL(file, FOLDER))];
}

for (const run of runs) {
  Deno.test(`twenty steps of a transformer follow PyTorch's: ${run.name}`, async () => {
    const { app, close } = testApp();
    try {
      const uploads = [
        await upload("model", "trajectory.onnx"),
        await upload("start", "trajectory.start.safetensors"),
        await upload("shard", "trajectory.shard.safetensors"),
      ];
      const task = {
        name: run.name,
        shard: "shard",
        inputs: Object.fromEntries(inputs.map((name) => [name, name])),
        target: "target",
        output,
        loss,
      };
      const document = { model: "model", start: "start", task, local: run.local };
      const response = await postDocument(app, "/tune", document, uploads);
      const answer = await response.json();
      assertEquals(response.status, 200, answer.detail);
      assertEquals(answer.steps, run.loss_values.length);
      run.loss_values.forEach((expected, step) => {
        const difference = Math.abs(answer.loss[step] - expected) / expected;
        assert(
          difference < 1e-4,
          `${run.name}: the loss of step ${step + 1} is ${answer.loss[step]}, not ${expected}`,
        );
      });
      const stored = await app.request(`/checkpoints/${answer.checkpoint.id}`);
      const result = await checkpointOf(new Uint8Array(await stored.arrayBuffer()));
      const expected = await checkpointOf((await upload("", run.expected))[1]);
      const start = await checkpointOf(uploads[1]![1]);
      for (const [name, tensor] of expected.tensors) {
        const [before, wanted, found] = await Promise.all(
          [start.tensors.get(name)!, tensor, result.tensors.get(name)!]
            .map((each) => readValues(each, NEVER)),
        ) as [Float32Array, Float32Array, Float32Array];
        let largest = 0;
        let worst = 0;
        wanted.forEach((value, i) => {
          largest = Math.max(largest, Math.abs(value - before[i]!));
          worst = Math.max(worst, Math.abs(value - found[i]!));
        });
        // Adam divides by the root of squares near zero, where float32 decides the last places.
        assert(worst <= 5e-3 * largest + 1e-7, `${run.name}: ${name} ${worst} of ${largest}`);
      }
    } finally {
      await close();
    }
  });
}
