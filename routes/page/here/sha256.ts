/**
 * SHA-256 in a browser, whose own digests take whole buffers only.
 *
 * @module
 */
import { createSHA256 } from "hash-wasm";
import type { Hasher, MakeHasher } from "../../../core/store/blobs.ts";

/** What a hasher has taken in while another one has the machine. */
interface Suspended {
  state?: Uint8Array;
}

/** Loads the WebAssembly, of which all hashers of this thread share one instance. */
export async function wasmHasher(): Promise<MakeHasher> {
  const machine = await createSHA256();
  let owner: Suspended | undefined;
  const enter = (next: Suspended) => {
    if (owner === next) return;
    if (owner) owner.state = machine.save();
    if (next.state) machine.load(next.state);
    else machine.init();
    owner = next;
  };
  const hasherOf = (own: Suspended): Hasher => ({
    update(bytes) {
      enter(own);
      machine.update(bytes);
    },
    digest() {
      enter(own);
      owner = undefined;
      return machine.digest("binary");
    },
    copy() {
      enter(own);
      return hasherOf({ state: machine.save() });
    },
  });
  return () => hasherOf({});
}
