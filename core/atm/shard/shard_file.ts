/**
 * The file of a shard: a byte source with the name that problems carry, held in memory where it is small.
 *
 * @module
 */
import type { Bytes, ByteSource } from "../../checkpoint/byte_source.ts";
import { HELD_BYTES } from "./shard.ts";

/** A shard's file. */
export interface ShardFile {
  /** Name of the source. */
  readonly name: string;
  readonly source: ByteSource;
  /** Answers the whole file, which is read once and then held; absent if the file is too large for that. */
  readonly hold?: () => Promise<Bytes>;
}

/** The file of a source; it is held from the first rows on if it has at most {@linkcode HELD_BYTES}. */
export function shardFile(source: ByteSource, name: string): ShardFile {
  if (source.byteLength > HELD_BYTES) return { name, source };
  let loading: Promise<Bytes> | undefined;
  return {
    name,
    source,
    hold() {
      const mine = loading ??= source.slice(0, source.byteLength);
      mine.catch(() => {
        // What failed once, such as a server, may do better the next time.
        if (loading === mine) loading = undefined;
      });
      return mine;
    },
  };
}
