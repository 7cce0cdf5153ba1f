/**
 * What this host says of itself, read with as few permissions as there are.
 *
 * @module
 */
import process from "node:process";
import type { HostFacts } from "./config.ts";

/**
 * The environment, read variable by variable: to read all would need the permission for all. Its names are those that
 * may be read where others are ignored (`--ignore-env`), and none where listing them is not permitted.
 */
export function hostEnvironment(): Readonly<Record<string, string | undefined>> {
  return new Proxy({}, {
    get: (_, name) => Deno.env.get(String(name)),
    ownKeys: () => Object.keys(attempt(() => Deno.env.toObject()) ?? {}),
    getOwnPropertyDescriptor: (_, name) => {
      const value = Deno.env.get(String(name));
      return value === undefined ? undefined : { value, enumerable: true, configurable: true };
    },
  });
}

/**
 * Processors and memory: the machine's, or what the process' control group may use (a container, a unit of systemd)
 * where that is less.
 *
 * @param edge Whether the platform is one without a disk that lasts; what it says of memory is not ours.
 * @param constrained Bytes that the group may use. The files of `/sys` would say it too, but Deno lets nobody read them
 * who has not all permissions.
 */
export function hostFacts(
  edge: boolean,
  constrained: () => number = () => process.constrainedMemory(),
): HostFacts {
  const facts = { processors: navigator.hardwareConcurrency, edge };
  const total = edge ? undefined : attempt(() => Deno.systemMemoryInfo().total);
  if (total === undefined) return facts;
  const limit = attempt(constrained) ?? 0;
  return { ...facts, memory: limit > 0 ? Math.min(total, limit) : total };
}

/** The value, or undefined where it is not permitted, not there, or not offered on this platform. */
function attempt<Value>(read: () => Value): Value | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
