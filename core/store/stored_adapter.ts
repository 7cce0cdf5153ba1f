/**
 * Adapters that are stored with the configuration that scales their factors.
 *
 * @module
 */
import { modulesOf } from "../adapters/dense_adapters.ts";
import type { ByteSource } from "../checkpoint/byte_source.ts";
import { openSafetensors } from "../checkpoint/open_safetensors.ts";
import { Problem } from "../problem.ts";
import type { Manifest } from "./records.ts";

/** What a manifest says of an adapter with a configuration. */
export type AdapterMembers = Partial<Pick<Manifest, "kind" | "adapter_config">>;

/**
 * Checks a configuration against the adapter that it comes with.
 *
 * @throws {Problem} What either is at fault with.
 */
export async function checkedAdapter(
  source: ByteSource,
  config: string,
  signal: AbortSignal | undefined,
): Promise<AdapterMembers> {
  const checkpoint = await openSafetensors(source, signal ? { signal } : {});
  modulesOf({ ...checkpoint, config }, undefined);
  return { kind: "adapter", adapter_config: config };
}

/**
 * The manifest of bytes that were stored before, with the configuration that comes with them now.
 *
 * @returns The same manifest if nothing is new.
 * @throws {Problem} `conflict` if it has another configuration: an id stands for one adapter.
 */
export function withAdapter(manifest: Manifest, adapter: AdapterMembers): Manifest {
  const { adapter_config: config } = adapter;
  if (config === undefined || config === manifest.adapter_config) return manifest;
  if (manifest.adapter_config === undefined) return { ...manifest, ...adapter };
  throw new Problem(
    "conflict",
    "Cannot store the adapter as the same factors are stored with another configuration: remove " +
      `that one first, or send the configuration with each request: current value is ${manifest.id}`,
    { checkpoint: manifest.id },
  );
}
