/**
 * The checkpoints that examples name by their ids.
 *
 * @module
 */

/** Ids of stored files. */
export const BASE = "sha256:f384beaa9a08435f0e3243f66f0f6cc9b48552ba128aa480a04225d234130900";
export const LEFT = "sha256:4028954bcc6b573590ec68b4ec6eca7547e8fd4088bbc4bbc8381b9b17765fde";
export const RIGHT = "sha256:9f9d62ec0359d4aaf8200e98db32c16d3b3c5e3b7775cefbdf61aa9f41e5d61b";

/** What examples name by id, with its file; it must be stored before. */
export const STORED_EXAMPLES: Readonly<Record<string, string>> = {
  [BASE]: "base.safetensors",
  [LEFT]: "left.safetensors",
  [RIGHT]: "right.safetensors",
};

/** The same as sources of documents. */
export const stored = {
  base: { checkpoint: BASE },
  left: { checkpoint: LEFT },
  right: { checkpoint: RIGHT },
};
