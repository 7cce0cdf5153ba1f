/**
 * The digits as tasks: files that a person would choose in the page.
 *
 * @module
 */
import { readShard } from "../../../fixtures/demo/checkpoint_file.ts";
import { partOf } from "../../../fixtures/demo/rounds.ts";

const digits = (name: string) => new URL(`../../../fixtures/digits/${name}`, import.meta.url);

/** Rows of a part that are tuned on; as many more choose, and as many of the test rows are tested on. */
const ROWS = 40;

/** The parts that are used. */
export const TASKS = ["upright", "left"];

/** Writes model and shards into a fresh folder. */
export async function digitTasks(): Promise<{ folder: string; files: string[] }> {
  const folder = await Deno.makeTempDir();
  const [validation, test] = await Promise.all(
    ["val", "test"].map((name) => Deno.readFile(digits(`${name}.safetensors`)).then(readShard)),
  );
  const files = [digits("digits.onnx").pathname];
  for (const [part, name] of validation!.parts.entries()) {
    if (!TASKS.includes(name)) continue;
    for (
      const { bytes, name: use } of [
        partOf("tune", validation!, part, 0, ROWS),
        partOf("select", validation!, part, ROWS, 2 * ROWS),
        partOf("test", test!, part, 0, ROWS),
      ]
    ) {
      const path = `${folder}/${name}-${use}.safetensors`;
      await Deno.writeFile(path, bytes);
      files.push(path);
    }
  }
  return { folder, files };
}

/** A document over these tasks. */
export function digitDocument(changes: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    model: "digits",
    tasks: TASKS.map((name) => ({
      name,
      shard: `${name}-tune`,
      select: `${name}-select`,
      test: `${name}-test`,
      inputs: { x: { from: "x", scale: 1 / 16 } },
      target: "y",
      loss: "cross_entropy",
    })),
    rounds: 3,
    local: { epochs: 1, batch_size: 16, optimizer: { name: "sgd", learning_rate: 0.02 } },
    references: ["base", "mean", "joint"],
    keep_rounds: true,
    ...changes,
  };
}
