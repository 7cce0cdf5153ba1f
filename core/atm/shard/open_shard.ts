/**
 * Opens a shard of labelled data, whichever of the formats it has.
 *
 * @module
 */
import type { ByteSource } from "../../checkpoint/byte_source.ts";
import { Problem } from "../../problem.ts";
import { npzParts } from "./npz_shard.ts";
import { parquetParts } from "./parquet_shard.ts";
import { safetensorsParts } from "./safetensors_shard.ts";
import { assembleShard, type Shard, type ShardParts } from "./shard.ts";
import { type ShardFile, shardFile } from "./shard_file.ts";

/**
 * Opens a shard: safetensors, .npz or Parquet, recognized from its first bytes. The shard then owns the source
 * and closes it. If this throws, the source is still the caller's to close.
 *
 * @param name Name of the source, which problems carry.
 * @throws {Problem} `unsupported-format` if it is of another format, `invalid-checkpoint` if it is damaged,
 * empty or without arrays, `mismatch` if row counts differ, `unsupported-dtype` if none of its arrays can be
 * read, `too-large`; whatever the source throws.
 */
export async function openShard(
  source: ByteSource,
  name: string,
  signal?: AbortSignal,
): Promise<Shard> {
  const file = shardFile(source, name);
  return assembleShard(name, await partsOf(file, signal), () => source.close?.());
}

async function partsOf(file: ShardFile, signal?: AbortSignal): Promise<ShardParts> {
  const { source } = file;
  const prefix = await source.slice(0, Math.min(4096, source.byteLength), signal);
  const mark = String.fromCharCode(...prefix.subarray(0, 4));
  // An archive without members has only its end record.
  if (mark === "PK\x03\x04" || mark === "PK\x05\x06") return await npzParts(file, signal);
  if (mark === "PAR1") return await parquetParts(file, signal);
  if (mark === "\x93NUM") throw unnamedArray(file);
  return await safetensorsParts(file, signal);
}

function unnamedArray({ name }: ShardFile): Problem {
  return new Problem(
    "unsupported-format",
    `Cannot read the shard ${JSON.stringify(name)} as an array without a name (.npy) cannot hold ` +
      "both data and labels. Save them together with numpy.savez: current format is npy",
    { source: name, format: "npy" },
  );
}
