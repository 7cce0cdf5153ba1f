/**
 * A workspace on a worker of its own, so that a step does not hold up this thread; and the messages to it.
 *
 * The worker ends with the workspace, and its memory with it: WebAssembly memory never shrinks otherwise.
 *
 * @module
 */
import type { Value } from "../onnx/model.ts";
import { Problem, type ProblemKind, type ProblemMembers } from "../problem.ts";
import { onnxWorkspace } from "./onnx_workspace.ts";
import { owedAnswers } from "./owed_answers.ts";
import { compileRuntime } from "./runtime_module.ts";
import { type EngineHost, moduleWorkers } from "./start_worker.ts";
import type { LoadedGraph, OpenWorkspace, Tensors, Workspace } from "./workspace.ts";

/** A call of the port as a message. */
export type WorkspaceCall =
  | {
    readonly name: "load";
    readonly key: string;
    readonly model: Uint8Array<ArrayBuffer>;
    readonly optimize: boolean;
  }
  | { readonly name: "unload"; readonly key: string }
  | { readonly name: "place"; readonly values: Tensors }
  | {
    readonly name: "run";
    readonly key: string;
    readonly feeds: Tensors;
    readonly fetches: readonly Value[] | undefined;
  }
  | { readonly name: "read"; readonly names: readonly Value[] };

/** The first message to the worker is the runtime's code, if it could be compiled; then come calls. */
export type WorkspaceMessage =
  | { readonly module: WebAssembly.Module | undefined }
  | { readonly id: number; readonly call: WorkspaceCall };

/** The answer to the call of that number. */
export interface WorkspaceReply {
  readonly id: number;
  readonly result?: unknown;
  readonly problem?: {
    readonly kind: ProblemKind;
    readonly detail: string;
    readonly members: ProblemMembers;
  };
  readonly error?: string;
}

/** Opens workspaces on workers; on this thread where the host has none. */
export function remoteWorkspaces(host: EngineHost = moduleWorkers): OpenWorkspace {
  const { startWorker } = host;
  if (startWorker === undefined) return () => onnxWorkspace();
  let module: Promise<WebAssembly.Module | undefined> | undefined;
  return () => openRemote(startWorker("workspace"), module ??= compileRuntime(host));
}

function openRemote(
  worker: Worker,
  module: Promise<WebAssembly.Module | undefined>,
): Workspace {
  const owed = owedAnswers<unknown>(worker);
  let next = 0;
  worker.onmessage = ({ data }: MessageEvent<WorkspaceReply>) => {
    const call = owed.take(data.id);
    if (data.problem) {
      call?.reject(new Problem(data.problem.kind, data.problem.detail, data.problem.members));
    } else if (data.error !== undefined) call?.reject(new Error(data.error));
    else call?.resolve(data.result);
  };
  worker.onerror = (event) => {
    event.preventDefault();
    owed.end(new Problem("unavailable", `Cannot run the engine's worker: ${event.message}`));
  };
  module.then((compiled) => {
    if (!owed.gone()) worker.postMessage({ module: compiled } satisfies WorkspaceMessage);
  });
  function send<T>(call: WorkspaceCall): Promise<T> {
    const id = next++;
    const answer = owed.add(id);
    if (!owed.gone()) worker.postMessage({ id, call } satisfies WorkspaceMessage);
    return answer as Promise<T>;
  }
  return {
    load: (key, model, optimize = true) =>
      send<LoadedGraph>({ name: "load", key, model, optimize }),
    unload: (key) => send({ name: "unload", key }),
    place: (values) => send({ name: "place", values }),
    run: (key, feeds, fetches) => send<Tensors>({ name: "run", key, feeds, fetches }),
    read: (names) => send<Tensors>({ name: "read", names }),
    close() {
      owed.end(new Error("The workspace was closed"));
      return Promise.resolve();
    },
  };
}
