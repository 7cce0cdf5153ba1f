/**
 * Cuts a safetensors file that is about to be written into shards with an index, as the public hub has them.
 *
 * @module
 */
import { Problem } from "../problem.ts";
import type { Bytes } from "./byte_source.ts";
import {
  layoutSafetensors,
  type PlacedTensor,
  type SafetensorsLayout,
} from "./write_safetensors.ts";

/** A shard to be written. */
export interface ShardLayout {
  readonly file: string;
  readonly layout: SafetensorsLayout;
}

/** All files of a sharded checkpoint. */
export interface ShardedLayout {
  /** Their tensors, one shard after the other, are those of the whole file in its order. */
  readonly shards: readonly ShardLayout[];
  /** The index; absent where one shard holds everything. */
  readonly index?: { readonly file: string; readonly bytes: Bytes };
}

/** Five digits number a shard. */
const SHARD_LIMIT = 99_999;

/**
 * Lays out the shards: in the order of the whole file, each filled up to `shardSize` bytes of tensors; a
 * larger tensor has a shard of its own.
 *
 * @param whole The file without shards.
 * @param metadata Stands in every shard.
 * @param stem Name of the files, `model`.
 * @throws {Problem} `too-large` for more than 99999 shards.
 */
export function layoutShards(
  whole: SafetensorsLayout,
  metadata: Readonly<Record<string, string>>,
  shardSize: number,
  stem = "model",
): ShardedLayout {
  const groups = cut(whole.tensors, shardSize);
  if (groups.length > SHARD_LIMIT) {
    throw new Problem(
      "too-large",
      `Cannot cut the result into more than ${SHARD_LIMIT} shards: current value is ${groups.length}`,
      { limit: SHARD_LIMIT, value: groups.length },
    );
  }
  if (groups.length === 1) {
    const layout = layoutSafetensors(whole.tensors, metadata);
    return { shards: [{ file: `${stem}.safetensors`, layout }] };
  }
  const digits = (number: number) => String(number).padStart(5, "0");
  const shards = groups.map((tensors, i) => ({
    file: `${stem}-${digits(i + 1)}-of-${digits(groups.length)}.safetensors`,
    layout: layoutSafetensors(tensors, metadata),
  }));
  return { shards, index: indexOf(shards, stem) };
}

function cut(tensors: readonly PlacedTensor[], shardSize: number): PlacedTensor[][] {
  const groups: PlacedTensor[][] = [[]];
  let filled = 0;
  for (const tensor of tensors) {
    const bytes = tensor.end - tensor.start;
    if (filled + bytes > shardSize && groups.at(-1)!.length > 0) {
      groups.push([]);
      filled = 0;
    }
    groups.at(-1)!.push(tensor);
    filled += bytes;
  }
  return groups;
}

function indexOf(
  shards: readonly ShardLayout[],
  stem: string,
): { readonly file: string; readonly bytes: Bytes } {
  let total = 0;
  const places: [string, string][] = [];
  for (const { file, layout } of shards) {
    for (const { name, start, end } of layout.tensors) {
      total += end - start;
      places.push([name, file]);
    }
  }
  places.sort(([a], [b]) => a < b ? -1 : 1);
  // Written by hand, as an object would put names that are numbers first and lose `__proto__`.
  const lines = places.map(([name, file]) =>
    `    ${JSON.stringify(name)}: ${JSON.stringify(file)}`
  );
  const text = `{\n  "metadata": {\n    "total_size": ${total}\n  },\n  "weight_map": {\n${
    lines.join(",\n")
  }\n  }\n}\n`;
  return { file: `${stem}.safetensors.index.json`, bytes: new TextEncoder().encode(text) };
}
