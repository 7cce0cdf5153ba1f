/**
 * Workspaces whose graphs are loaded once.
 *
 * Tests run the same few small models hundreds of times, each in a workspace of its own, and to load a graph takes
 * ONNX Runtime a hundred times as long as to run it. A session has no state besides its graph, so that workspaces may
 * share it; what they keep is theirs.
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { InferenceSession } from "onnxruntime-web";
import { onnxWorkspace } from "../../core/engine/onnx_workspace.ts";
import type { Workspace } from "../../core/engine/workspace.ts";

/** Bytes of a model beyond which its session is not kept. */
const SMALL = 1 << 20;

type Create = (
  model: Uint8Array,
  options?: InferenceSession.SessionOptions,
) => Promise<InferenceSession>;

const made = new Map<string, Promise<InferenceSession>>();
let sharing: Promise<void> | undefined;

/** Lets this thread's sessions be kept. */
async function share(): Promise<void> {
  const { InferenceSession: sessions } = await import("onnxruntime-web");
  const create = sessions.create.bind(sessions) as Create;
  const keep = async (...[model, options]: Parameters<Create>) => {
    const session = await create(model, options);
    session.release = () => Promise.resolve();
    return session;
  };
  const shared: Create = (model, options) => {
    if (model.length > SMALL) return create(model, options);
    const key = createHash("sha256").update(model).update(JSON.stringify(options)).digest("hex");
    const session = made.get(key) ?? keep(model, options);
    made.set(key, session);
    return session;
  };
  Object.assign(sessions, { create: shared });
}

/** A workspace of this thread that loads no graph which another has loaded. */
export function sharedWorkspace(): Workspace {
  const workspace = onnxWorkspace();
  return {
    ...workspace,
    async load(...given) {
      await (sharing ??= share());
      return await workspace.load(...given);
    },
  };
}
