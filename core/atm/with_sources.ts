/**
 * What all calls on tasks have in common: threads and sources that are closed when they end.
 *
 * @module
 */
import type { Sources, UsedNames } from "../merge/sources.ts";
import type { SourcePorts, UploadedSource } from "../sources/open_sources.ts";
import { bindTaskSources, type TaskSources } from "./open_task.ts";

/** Where a call's sources come from, and what ends it. */
export interface CallContext {
  readonly ports: { readonly sources: SourcePorts };
  readonly uploads: ReadonlyMap<string, UploadedSource>;
  readonly signal: AbortSignal;
}

/** The names that a document uses, and what it says of them. */
export interface NamedSources {
  readonly names: UsedNames;
  readonly entries: Sources;
}

/**
 * Runs a call, and closes what runs for it and what it opened. An aborted signal ends what runs at once.
 *
 * @param running Threads of the call.
 * @throws {Problem} What `bindTaskSources` finds.
 * @throws The signal's reason, whatever else fails then.
 */
export async function withTaskSources<Answer>(
  running: { readonly close: () => Promise<void> },
  { names, entries }: NamedSources,
  { ports, uploads, signal }: CallContext,
  call: (sources: TaskSources) => Promise<Answer>,
): Promise<Answer> {
  const closers: (() => void)[] = [];
  const abort = () => void running.close();
  signal.addEventListener("abort", abort);
  try {
    const specs = bindTaskSources(names, entries, uploads);
    return await call({ specs, uploads, ports: ports.sources, signal, closers });
  } catch (error) {
    // Closing the threads also fails the run in progress; what ended it is the better reason.
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener("abort", abort);
    await running.close();
    for (const close of closers) close();
  }
}
