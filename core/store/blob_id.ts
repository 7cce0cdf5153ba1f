/**
 * Ids of blobs.
 *
 * @module
 */
import type { BlobId } from "./blobs.ts";

const PATTERN = /^sha256:[0-9a-f]{64}$/;

/** Whether a text has the form of a blob's id. */
export function isBlobId(text: string): text is BlobId {
  return PATTERN.test(text);
}

/** The id of bytes with this digest (32 bytes). */
export function blobId(digest: Uint8Array): BlobId {
  return `sha256:${digest.toHex()}`;
}
