/**
 * What `auto` is: the fused engine, and the GPU for what it was measured to do faster.
 *
 * @module
 */
import type { ChunkExecutor } from "../chunk_job.ts";
import type { EngineChoice } from "../engine_name.ts";
import type { FoundAdapter } from "./adapter.ts";
import { compareEngines } from "./compare_engines.ts";
import { deviceSizes, type Measured } from "./device_sizes.ts";

/** Milliseconds after the first question for the choice, so that the first merge has the machine to itself. */
const LATER = 3000;

/** What the choice stands on. */
export interface AutoPorts {
  /** Threads of their own that know the GPU: one, or as many as merges have. */
  readonly open: (threads: "one" | "all") => ChunkExecutor;
  /** Milliseconds. */
  readonly now: () => number;
  /** Calls back after so many milliseconds; answers what calls that off. */
  readonly later: (run: () => void, ms: number) => () => void;
  /** Is told what was chosen, once. */
  readonly onChosen?: (choice: EngineChoice) => void;
}

/** The choice of one process. */
export interface AutoChoice {
  /** The choice as it is known; the first question starts the measurement, for which nobody waits. */
  current(): EngineChoice;
  /** Resolves when it stands. */
  readonly settled: Promise<EngineChoice>;
  close(): Promise<void>;
}

/** Starts with the fused engine. */
export function autoChoice({ open, now, later, onChosen }: AutoPorts): AutoChoice {
  const { promise, resolve } = Promise.withResolvers<EngineChoice>();
  let choice: EngineChoice = {
    name: "fused",
    reason: "not-measured: it is not known yet what a GPU would do",
  };
  let callOff: (() => void) | undefined;
  let opened: ChunkExecutor | undefined;
  let closed = false;
  const within = async <Result>(
    threads: "one" | "all",
    use: (executor: ChunkExecutor) => Promise<Result>,
  ): Promise<Result> => {
    if (closed) throw new Error("the service stops");
    opened = open(threads);
    try {
      return await use(opened);
    } finally {
      await opened.close();
    }
  };
  const choose = async () => {
    const made = await found(within, now).catch((error): EngineChoice => ({
      name: "fused",
      reason: `not-measured: ${error instanceof Error ? error.message : error}`,
    }));
    choice = made;
    resolve(made);
    if (!closed) onChosen?.(made);
  };
  return {
    current() {
      callOff ??= closed ? () => {} : later(() => void choose(), LATER);
      return choice;
    },
    settled: promise,
    async close() {
      closed = true;
      callOff?.();
      await opened?.close();
    },
  };
}

async function found(
  within: <Result>(
    threads: "one" | "all",
    use: (executor: ChunkExecutor) => Promise<Result>,
  ) => Promise<Result>,
  now: () => number,
): Promise<EngineChoice> {
  const { adapter } = await within("one", (executor) => executor.run({ stage: "adapter" }));
  if (!adapter || adapter.software) return chosen(adapter, []);
  const measured = await within("all", (executor) => compareEngines({ executor, now }));
  return chosen(adapter, measured);
}

/** The choice from what there is and what was measured. */
export function chosen(
  adapter: FoundAdapter | undefined,
  measured: readonly Measured[],
): EngineChoice {
  if (!adapter) {
    return { name: "fused", reason: "no-adapter: the host offers no WebGPU adapter" };
  }
  const { name, software } = adapter;
  const gpu = { adapter: name, software };
  if (software) {
    return {
      name: "fused",
      ...gpu,
      reason: "software-adapter: the WebGPU adapter computes on the processor",
    };
  }
  const from = deviceSizes(measured);
  return from === undefined
    ? { name: "fused", ...gpu, reason: "slower: no work was measured faster on the GPU", measured }
    : { name: "webgpu", ...gpu, from, reason: "faster: from those sizes on", measured };
}
