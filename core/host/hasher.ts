/**
 * The host's SHA-256.
 *
 * @module
 */
import { createHash, type Hash } from "node:crypto";
import type { Hasher, MakeHasher } from "../store/blobs.ts";

/** SHA-256 by the processor's instructions where it has them. */
export const hostHasher: MakeHasher = () => hasherOf(createHash("sha256"));

function hasherOf(hash: Hash): Hasher {
  return {
    update: (bytes) => {
      hash.update(bytes);
    },
    digest: () => new Uint8Array(hash.digest()),
    copy: () => hasherOf(hash.copy()),
  };
}
