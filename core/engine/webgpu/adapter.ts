/**
 * Finds out which GPU there is, if any.
 *
 * @module
 */

/** The part of WebGPU that is used here; not every host's types know it. */
interface Gpu {
  requestAdapter(): Promise<Adapter | null>;
}

interface Adapter {
  readonly info: {
    readonly vendor?: string;
    readonly architecture?: string;
    readonly device?: string;
    readonly description?: string;
    readonly isFallbackAdapter?: boolean;
  };
  readonly features: { has(name: string): boolean };
}

/** A GPU, or a program that plays one. */
export interface FoundAdapter {
  /** As the host names it. */
  readonly name: string;
  /** Whether it computes on the processor: correct, but slower than without it. */
  readonly software: boolean;
  /** Whether it has half precision. */
  readonly f16: boolean;
}

/** Names of adapters that compute on the processor. */
const SOFTWARE = /llvmpipe|lavapipe|swiftshader|softpipe|software|warp|basic render/i;

/** The adapter that the host prefers; undefined where there is none. */
export async function findAdapter(
  host: object = navigator,
): Promise<FoundAdapter | undefined> {
  const { gpu } = host as { readonly gpu?: Gpu };
  const adapter = await gpu?.requestAdapter().catch(() => null);
  if (!adapter) return undefined;
  const { vendor = "", architecture = "", device = "", description = "", isFallbackAdapter } =
    adapter.info;
  const name = description || [vendor, architecture, device].filter(Boolean).join(" ");
  return {
    name: name || "unnamed",
    software: isFallbackAdapter === true || SOFTWARE.test(`${name} ${vendor} ${architecture}`),
    f16: adapter.features.has("shader-f16"),
  };
}
