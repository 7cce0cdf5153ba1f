/**
 * The entry of a worker that holds one workspace: takes calls, answers results, each with its number.
 *
 * @module
 */
import { Problem } from "../problem.ts";
import { onnxWorkspace } from "./onnx_workspace.ts";
import type { WorkspaceCall, WorkspaceMessage, WorkspaceReply } from "./remote_workspace.ts";

/** The part of a worker's global scope that is used here; the DOM library describes a window instead. */
interface WorkerScope {
  onmessage: ((event: MessageEvent<WorkspaceMessage>) => void) | null;
  postMessage(message: WorkspaceReply): void;
}

const scope = globalThis as unknown as WorkerScope;
const started = Promise.withResolvers<WebAssembly.Module | undefined>();
const workspace = onnxWorkspace(() => started.promise);
/** Calls run one after the other, as a call may read what the one before it kept. */
let last: Promise<unknown> = Promise.resolve();

function perform(call: WorkspaceCall): Promise<unknown> {
  switch (call.name) {
    case "load":
      return workspace.load(call.key, call.model, call.optimize);
    case "unload":
      return workspace.unload(call.key);
    case "place":
      return workspace.place(call.values);
    case "run":
      return workspace.run(call.key, call.feeds, call.fetches);
    case "read":
      return workspace.read(call.names);
  }
}

async function answer(id: number, call: WorkspaceCall): Promise<WorkspaceReply> {
  try {
    return { id, result: await perform(call) };
  } catch (error) {
    return error instanceof Problem
      ? { id, problem: { kind: error.kind, detail: error.message, members: error.members } }
      : { id, error: error instanceof Error ? error.message : String(error) };
  }
}

scope.onmessage = ({ data }) => {
  if (!("call" in data)) return started.resolve(data.module);
  last = last.then(async () => scope.postMessage(await answer(data.id, data.call)));
};
