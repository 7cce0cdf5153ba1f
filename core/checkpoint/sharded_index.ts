/**
 * Reads `model.safetensors.index.json`, which says in which shard of a checkpoint each tensor lies.
 *
 * @module
 */
import type { ByteSource } from "./byte_source.ts";
import { headerFault, type HeaderOptions, quote } from "./header_fault.ts";
import { readJsonObject } from "./header_json.ts";
import { isRelativePath } from "./relative_path.ts";
import { decodeUtf8 } from "./utf8.ts";

/** The longest index that is read, in bytes; those of the largest public models have about 10 MB. */
const INDEX_LIMIT = 67_108_864;
/** More shards than any public model has. */
const SHARD_LIMIT = 2000;

/** The file of every tensor by its name, in the order of the index. */
export type WeightMap = ReadonlyMap<string, string>;

/**
 * Reads an index.
 *
 * @throws {Problem} `invalid-checkpoint` with `byte` if it is malformed, names a tensor twice, or names a
 * file outside its own folder.
 */
export async function readShardedIndex(
  source: ByteSource,
  options: HeaderOptions,
  signal?: AbortSignal,
): Promise<WeightMap> {
  const fault = headerFault(options);
  const { byteLength } = source;
  if (byteLength > INDEX_LIMIT) {
    return fault(
      `Cannot read the index as its length must be at most ${INDEX_LIMIT}: current value is ${byteLength}`,
      0,
    );
  }
  const text = decodeUtf8(await source.slice(0, byteLength, signal));
  if (typeof text === "number") return fault("Cannot read the index as it must be UTF-8", text);
  const byteOf = (at: number) => new TextEncoder().encode(text.slice(0, at)).length;
  let map: Map<string, string> | undefined;
  readJsonObject(text, (key, node) => {
    if (key !== "weight_map") return;
    if (node.type !== "object") {
      return fault(
        "Cannot read the index as its weight_map must map tensors to files",
        byteOf(node.at),
      );
    }
    map = new Map();
    for (const [tensor, file] of node.members) {
      if (file.type !== "string" || !isRelativePath(file.value)) {
        return fault(
          `Cannot read the index as the file of ${quote(tensor)} must lie in its folder: ` +
            `current value is ${text.slice(file.at, Math.min(file.end, file.at + 80))}`,
          byteOf(file.at),
          { tensor },
        );
      }
      map.set(tensor, file.value);
    }
  }, (at, reason) => fault(`Cannot read the index as it must be JSON: ${reason}`, byteOf(at)));
  if (map === undefined || map.size === 0) {
    return fault("Cannot read the index as its weight_map names no tensor", 0);
  }
  const shards = new Set(map.values()).size;
  if (shards > SHARD_LIMIT) {
    return fault(
      `Cannot read the index as it must name at most ${SHARD_LIMIT} files: current value is ${shards}`,
      0,
    );
  }
  return map;
}
