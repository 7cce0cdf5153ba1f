/**
 * What a running merge keeps on GPUs from the sums of a tensor to its map.
 *
 * @module
 */
import type { ChunkExecutor } from "../engine/chunk_job.ts";
import type { MergeTensor } from "./chunks.ts";

/** Names for what is kept, and a way to be rid of it. */
export interface KeptTensors {
  /** What the names of a tensor's chunks begin with. */
  nameOf(tensor: MergeTensor): string;
  /** Forgets the tensor's chunks. */
  drop(tensor: MergeTensor): Promise<void>;
  /** Forgets all that is left. */
  close(): Promise<void>;
}

/** The names of one merge, which no other has. */
export function keptTensors({ broadcast }: Pick<ChunkExecutor, "broadcast">): KeptTensors {
  const merge = crypto.randomUUID();
  const numbers = new Map<MergeTensor, number>();
  const drop = async (prefix: string) => {
    await broadcast({ stage: "drop", prefix }).catch(() => {});
  };
  const nameOf = (tensor: MergeTensor) => {
    const number = numbers.get(tensor) ?? numbers.size;
    numbers.set(tensor, number);
    return `${merge}/${number}`;
  };
  return {
    nameOf,
    async drop(tensor) {
      if (numbers.has(tensor)) await drop(`${nameOf(tensor)}/`);
    },
    async close() {
      if (numbers.size > 0) await drop(merge);
    },
  };
}
