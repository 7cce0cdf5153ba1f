/**
 * What this host says of itself, read with as few permissions as there are.
 *
 * @module
 */
import type { HostFacts } from "./config.ts";

/** The environment, read variable by variable: a list of all would need the permission for all. */
export function hostEnvironment(): Readonly<Record<string, string | undefined>> {
  return new Proxy({}, { get: (_, name) => Deno.env.get(String(name)) });
}

/** Where Linux says what a container may use, of either version of control groups. */
const CGROUPS = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"];

/**
 * Processors and memory: the machine's, or the container's where that is less and may be read.
 *
 * @param edge Whether the platform is one without a disk that lasts; what it says of memory is not ours.
 */
export function hostFacts(edge: boolean): HostFacts {
  const facts = { processors: navigator.hardwareConcurrency, edge };
  const total = edge ? undefined : attempt(() => Deno.systemMemoryInfo().total);
  if (total === undefined) return facts;
  const limits = CGROUPS.map((path) => attempt(() => Number(Deno.readTextFileSync(path))))
    .filter((limit) => limit !== undefined && limit > 0) as number[];
  return { ...facts, memory: Math.min(total, ...limits) };
}

/** The value, or undefined where it is not permitted, not there, or not offered on this platform. */
function attempt(read: () => number): number | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
