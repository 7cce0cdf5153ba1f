/**
 * Tunes a benchmark network on real images through HTTP, and scores it on images that it has not seen.
 *
 * @module
 */
import { createApp } from "../../routes/app.ts";
import { readConfig } from "../../core/host/config.ts";
import { openPorts } from "../../core/host/ports.ts";

/** What came of it. */
export interface Convergence {
  readonly accuracy: number;
  readonly seconds: number;
}

/** Settled with PyTorch (`convergence.py`); the smoothing keeps 6,000 images from being learned by heart. */
const LOCAL = {
  batch_size: 32,
  optimizer: { name: "adamw", learning_rate: 1e-3, weight_decay: 0.05 },
  schedule: "cosine",
};
/** The pixels get mean 0 and deviation 1, as those of MNIST have it. */
const PIXELS = { from: "x", scale: 1 / 255 / 0.3081, offset: -0.1307 / 0.3081 };

/**
 * Tunes on `SET-train`, scores on `SET-test`.
 *
 * @param folder Holds the shards: `x` uint8 `[rows, 28, 28]`, `y` uint8.
 */
export async function converge(
  folder: string,
  model: string,
  set: string,
  epochs: number,
): Promise<Convergence> {
  const ports = await openPorts(
    readConfig({ AMALGAM_DATA: "memory:" }, { processors: 2, edge: false }),
  );
  const app = createApp({ ...ports, log: console.error });
  const read = async (path: string | URL) => new Blob([await Deno.readFile(path)]);
  const post = async (path: string, document: unknown, parts: Record<string, Blob>) => {
    const form = new FormData();
    form.append("request", JSON.stringify(document));
    for (const [name, blob] of Object.entries(parts)) form.append(name, blob, name);
    const response = await app.request(path, { method: "POST", body: form });
    const answer = await response.json();
    if (response.status !== 200) throw new Error(answer.detail);
    return answer;
  };
  const task = (shard: string) => ({
    name: set,
    shard,
    inputs: { image: { ...PIXELS, shape: [-1, 1, 28, 28] } },
    target: "y",
    loss: { name: "cross_entropy", label_smoothing: 0.1 },
  });
  try {
    const graph = await read(new URL(`./models/${model}.onnx`, import.meta.url));
    const tuned = await post("/tune", {
      model: "graph",
      task: task("train"),
      local: { epochs, ...LOCAL },
    }, { graph, train: await read(`${folder}/${set}-train.safetensors`) });
    const { checkpoints } = await post("/evaluate", {
      model: "graph",
      checkpoints: [tuned.checkpoint.id],
      tasks: [task("test")],
    }, { graph, test: await read(`${folder}/${set}-test.safetensors`) });
    return { accuracy: checkpoints[tuned.checkpoint.id][set].accuracy, seconds: tuned.seconds };
  } finally {
    await ports.close();
  }
}
