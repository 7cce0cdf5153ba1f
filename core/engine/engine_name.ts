/**
 * Which engine runs the graphs of a merge, and why.
 *
 * @module
 */
import type { DeviceSizes, Measured } from "./webgpu/device_sizes.ts";
import type { FoundAdapter } from "./webgpu/adapter.ts";

/** What may be asked for: `auto` is `fused`, and WebGPU for what that was measured to be faster for. */
export const ENGINES = ["auto", "fused", "wasm", "webgpu"] as const;

/** The name of an engine. */
export type EngineName = typeof ENGINES[number];

/** Whether jobs of an engine may ask for a GPU. */
export function wantsGpu(name: EngineName): boolean {
  return name === "webgpu" || name === "auto";
}

/** What a merge runs on. */
export interface EngineChoice {
  /** `wasm` is ONNX Runtime on the processor. */
  readonly name: "fused" | "wasm" | "webgpu";
  /** The GPU, as the host names it, and whether it is a program that computes on the processor. */
  readonly adapter?: string;
  readonly software?: boolean;
  /** Why it is not what was asked for. */
  readonly fallback?: string;
  /** From how many elements on tensors run on the GPU; absent: all that can. */
  readonly from?: DeviceSizes;
  /** Why `auto` chose so. */
  readonly reason?: string;
  /** What `auto` measured. */
  readonly measured?: readonly Measured[];
}

/** What the bytes of a result may hang on: a choice without what only tells of it. */
export function roundingOf({ reason: _, measured: __, ...choice }: EngineChoice): unknown {
  return choice;
}

/** What a choice is made from. */
export interface ChoicePorts {
  /** Finds the GPU; asked once, and only where one is wanted. */
  readonly adapter: () => Promise<FoundAdapter | undefined>;
  /** Why the GPU is not used any more, once that has happened. */
  readonly lost: () => string | undefined;
  /** What `auto` is, as far as it is known; absent: the fused engine. */
  readonly auto?: () => EngineChoice;
}

/**
 * Answers, for each merge anew, what it runs on.
 *
 * @param asked What the operator or the caller asked for.
 */
export function engineChooser(
  asked: EngineName,
  { adapter, lost, auto }: ChoicePorts,
): () => Promise<EngineChoice> {
  let found: Promise<FoundAdapter | undefined> | undefined;
  const unlessLost = (choice: EngineChoice): EngineChoice => {
    const reason = lost();
    if (reason === undefined) return choice;
    const { from: _, measured: __, ...rest } = choice;
    return { ...rest, name: "fused", fallback: reason };
  };
  return async () => {
    if (asked === "wasm") return { name: "wasm" };
    if (asked === "auto" && auto) return unlessLost(auto());
    if (asked !== "webgpu") return { name: "fused" };
    const gpu = await (found ??= adapter());
    if (!gpu) return { name: "fused", fallback: "no-adapter: the host offers no WebGPU adapter" };
    const { name, software } = gpu;
    return unlessLost({ name: "webgpu", adapter: name, software });
  };
}
