/**
 * Which engine runs the graphs of a merge, and why.
 *
 * @module
 */
import type { FoundAdapter } from "./webgpu/adapter.ts";

/** What may be asked for: `auto` is `fused`, since WebGPU has not been measured faster (docs/performance.md). */
export const ENGINES = ["auto", "fused", "wasm", "webgpu"] as const;

/** The name of an engine. */
export type EngineName = typeof ENGINES[number];

/** What a merge runs on. */
export interface EngineChoice {
  /** `wasm` is ONNX Runtime on the processor. */
  readonly name: "fused" | "wasm" | "webgpu";
  /** The GPU, as the host names it, and whether it is a program that computes on the processor. */
  readonly adapter?: string;
  readonly software?: boolean;
  /** Why it is not what was asked for. */
  readonly fallback?: string;
}

/**
 * Answers, for each merge anew, what it runs on.
 *
 * @param asked What the operator or the caller asked for.
 * @param adapter Finds the GPU; asked once, and only where one is wanted.
 * @param lost Why the GPU is not used any more, once that has happened.
 */
export function engineChooser(
  asked: EngineName,
  adapter: () => Promise<FoundAdapter | undefined>,
  lost: () => string | undefined,
): () => Promise<EngineChoice> {
  let found: Promise<FoundAdapter | undefined> | undefined;
  return async () => {
    if (asked === "wasm") return { name: "wasm" };
    if (asked !== "webgpu") return { name: "fused" };
    const gpu = await (found ??= adapter());
    if (!gpu) return { name: "fused", fallback: "no-adapter: the host offers no WebGPU adapter" };
    const { name, software } = gpu;
    const reason = lost();
    return reason === undefined
      ? { name: "webgpu", adapter: name, software }
      : { name: "fused", adapter: name, software, fallback: reason };
  };
}
