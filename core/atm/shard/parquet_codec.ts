/**
 * Decompresses the pages of a Parquet file.
 *
 * @module
 */
import type { CompressionCodec } from "hyparquet";
import { decompressSnappy } from "./snappy.ts";

/** Decompresses bytes that must become exactly `length` bytes; throws an error if they are malformed. */
export type Decompress = (bytes: Uint8Array, length: number) => Uint8Array;

/**
 * The decompressor of a codec. Others than Snappy, the usual one, are loaded when a file needs them.
 *
 * @throws {Error} If there is none.
 */
export async function decompressorOf(codec: CompressionCodec): Promise<Decompress> {
  if (codec === "UNCOMPRESSED") return (bytes) => bytes;
  const decompress = codec === "SNAPPY" ? decompressSnappy : await loaded(codec);
  return (bytes, length) => {
    const page = decompress(bytes, length);
    if (page.length === length) return page;
    throw new Error(`A page must decompress to ${length} bytes: current value is ${page.length}`);
  };
}

async function loaded(codec: CompressionCodec): Promise<Decompress> {
  const library = await import("hyparquet-compressors");
  switch (codec) {
    case "GZIP":
      return library.decompressGzip;
    case "BROTLI":
      return library.decompressBrotli;
    case "LZ4":
      return library.decompressLz4;
    case "LZ4_RAW":
      return library.decompressLz4Raw;
    case "ZSTD":
      // Into memory of the right size, not of the size that a damaged frame may claim.
      return (bytes, length) => library.decompressZstd(bytes, new Uint8Array(length));
    default:
      throw new Error(
        `The compression must be Snappy, gzip, Zstandard, Brotli or LZ4: current value is ${codec}`,
      );
  }
}
