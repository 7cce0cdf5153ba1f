/**
 * The addresses behind a host name, as the system resolves them for a connection.
 *
 * @module
 */
import type { ResolveHost } from "../sources/guarded_fetch.ts";

/** How a host resolves names. */
export interface HostResolver {
  /** Absent where the platform does not tell addresses. */
  readonly resolve?: ResolveHost;
  /** What is checked of a source's address. */
  readonly checks: "addresses" | "names";
}

/**
 * Finds out how this host resolves names: as connections do (getaddrinfo, which also knows the file of hosts), else by
 * asking name servers, else not at all.
 *
 * @param ways Tried in order.
 */
export async function hostResolver(
  ways: readonly ResolveHost[] = [bySystem, byServers],
): Promise<HostResolver> {
  for (const resolve of ways) {
    try {
      if ((await resolve("localhost")).length > 0) return { resolve, checks: "addresses" };
    } catch {
      // Not offered, or not permitted, here.
    }
  }
  return { checks: "names" };
}

async function bySystem(host: string): Promise<readonly string[]> {
  const { lookup } = await import("node:dns/promises");
  return (await lookup(host, { all: true })).map(({ address }) => address);
}

async function byServers(host: string): Promise<readonly string[]> {
  const answers = await Promise.allSettled([
    Deno.resolveDns(host, "A"),
    Deno.resolveDns(host, "AAAA"),
  ]);
  const found = answers.flatMap((answer) => answer.status === "fulfilled" ? answer.value : []);
  if (found.length === 0) throw new Error("The name has no address");
  return found;
}
