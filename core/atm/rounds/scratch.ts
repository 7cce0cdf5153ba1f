/**
 * Checkpoints that live as long as a run: written through the blob store, never visible under an id unless kept.
 *
 * @module
 */
import type { Bytes } from "../../checkpoint/byte_source.ts";
import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import { openSafetensors } from "../../checkpoint/open_safetensors.ts";
import type { BlobId, BlobStore } from "../../store/blobs.ts";

/** A checkpoint of the run. */
export interface ScratchCheckpoint {
  readonly checkpoint: Checkpoint;
  /** Digest of its bytes. */
  readonly id: BlobId;
  /** Drops the bytes. Calling it again does nothing. */
  release(): Promise<void>;
}

/** Writes a safetensors file and opens it. */
export async function writeScratch(
  blobs: BlobStore,
  pieces: AsyncIterable<Bytes>,
  signal: AbortSignal,
): Promise<ScratchCheckpoint> {
  const writer = await blobs.create();
  try {
    for await (const piece of pieces) {
      signal.throwIfAborted();
      await writer.write(piece);
    }
    const { source, id } = await writer.seal();
    const checkpoint = await openSafetensors(source, { name: "scratch", signal });
    return {
      checkpoint,
      id,
      async release() {
        checkpoint.close();
        await writer.abort();
      },
    };
  } catch (error) {
    await writer.abort();
    throw error;
  }
}
