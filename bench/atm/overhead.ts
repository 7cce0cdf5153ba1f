/**
 * What a round costs beyond its tuning steps: one round of one epoch of the tuning benchmark's ViT on two tasks,
 * with select shards.
 *
 * One worker, so that the tasks run one after the other and their steps add up to a share of the round.
 *
 * @module
 */
import type { AtmAnswer } from "../../core/atm/rounds/answer.ts";
import { startServer } from "../server.ts";
import { POST_HOC_ROWS, PRETRAIN_ROWS } from "./options.ts";
import { readRows, shardBytes, sliceRows } from "./shards.ts";

/** One round's time in seconds. */
export interface RoundOverhead {
  readonly steps: number;
  /** Spent in the steps of both tasks. */
  readonly tuning: number;
  /** The whole round: placing, steps, geometry, merging, scoring, keeping. */
  readonly round: number;
}

const TASKS = ["mnist", "fashion"];
const IMAGE = { from: "x", scale: 1 / 255 / 0.3081, offset: -0.1307 / 0.3081 };

/**
 * Measures a round.
 *
 * @param folder Holds `SET-train.safetensors` and `SET-val.safetensors` of both tasks.
 */
export async function measureOverhead(folder: string): Promise<RoundOverhead> {
  const server = await startServer({ AMALGAM_DATA: "memory:", AMALGAM_WORKERS: "1" });
  try {
    const form = new FormData();
    form.append("request", JSON.stringify(document()));
    const add = (name: string, bytes: Uint8Array<ArrayBuffer>) =>
      form.append(name, new Blob([bytes]), name);
    add("net", await Deno.readFile(new URL("../tune/models/vit.onnx", import.meta.url)));
    for (const task of TASKS) {
      const train = await readRows(`${folder}/${task}-train.safetensors`);
      const val = await readRows(`${folder}/${task}-val.safetensors`);
      // Split as the experiment splits them (ATM.md, section 11).
      add(`${task}-tune`, shardBytes(sliceRows(train, PRETRAIN_ROWS, train.labels.length)));
      add(`${task}-select`, shardBytes(sliceRows(val, POST_HOC_ROWS, val.labels.length)));
    }
    const answer = await fetch(`${server.origin}/atm`, { method: "POST", body: form });
    const lines = (await answer.text()).trim().split("\n");
    const last: AtmAnswer & { readonly event: string } = JSON.parse(lines.at(-1)!);
    const [round] = last.rounds ?? [];
    if (!round) throw new Error(`POST /atm: ${lines.at(-1)}`);
    const tasks = Object.values(round.tasks);
    return {
      steps: tasks.reduce((sum, { steps }) => sum + steps, 0),
      tuning: tasks.reduce((sum, { seconds }) => sum + seconds, 0),
      round: round.seconds,
    };
  } finally {
    await server.stop();
  }
}

function document(): unknown {
  return {
    model: "net",
    tasks: TASKS.map((name) => ({
      name,
      shard: `${name}-tune`,
      select: `${name}-select`,
      inputs: { image: { ...IMAGE, shape: [-1, 1, 28, 28] } },
      target: "y",
      loss: "cross_entropy",
    })),
    rounds: 1,
    local: { epochs: 1, batch_size: 64, optimizer: { name: "adamw", learning_rate: 1e-3 } },
    references: [],
  };
}
