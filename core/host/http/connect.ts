/**
 * Connections to servers, plain or encrypted, to addresses that were checked before.
 *
 * @module
 */
import type { Connection } from "./wire.ts";

/** Milliseconds until the next address is tried. */
const PATIENCE = 5000;

/**
 * Connects to the first address that takes the connection; the certificate must be the host's.
 *
 * @param addresses The host's; absent where the operator vouches for what its name stands for.
 */
export async function connect(
  { protocol, hostname, port }: URL,
  addresses: readonly string[] = [hostname.replace(/^\[|\]$/g, "")],
): Promise<Connection> {
  const encrypted = protocol === "https:";
  const number = Number(port || (encrypted ? 443 : 80));
  let last: unknown = new TypeError("Cannot connect as the host has no address");
  for (const address of addresses) {
    try {
      const signal = AbortSignal.timeout(PATIENCE);
      const plain = await Deno.connect({ hostname: address, port: number, signal });
      if (!encrypted) return plain;
      try {
        const secure = await Deno.startTls(plain, { hostname: hostname.replace(/^\[|\]$/g, "") });
        await secure.handshake();
        return secure;
      } catch (error) {
        plain.close();
        throw error;
      }
    } catch (error) {
      last = error;
    }
  }
  throw last;
}
