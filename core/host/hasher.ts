/**
 * The host's SHA-256.
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { MakeHasher } from "../store/blobs.ts";

/** SHA-256 by the processor's instructions where it has them. */
export const hostHasher: MakeHasher = () => {
  const hash = createHash("sha256");
  return {
    update: (bytes) => {
      hash.update(bytes);
    },
    digest: () => new Uint8Array(hash.digest()),
  };
};
