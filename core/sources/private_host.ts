/**
 * Addresses and names that do not belong to the public internet.
 *
 * @module
 */

/**
 * Whether a host stands for an address that is private, loopback, link-local, multicast or reserved, or
 * is a name that only a local network knows.
 *
 * @param host As the URL parser normalizes it: lower case, IPv4 in any notation as four decimal numbers,
 * IPv6 compressed and in brackets.
 */
export function isPrivateHost(host: string): boolean {
  const name = host.replace(/\.+$/, "");
  if (name.startsWith("[")) return isPrivateV6(name.slice(1, -1));
  const parts = /^(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(name)?.slice(1).map(Number);
  if (parts) return isPrivateV4(parts);
  return !name.includes(".") || LOCAL_NAMES.test(name);
}

/**
 * Whether an address that a name resolves to is private, loopback, link-local, multicast or reserved. What is no
 * address counts as one.
 *
 * @param address As a resolver writes it, such as `10.0.0.1`, `fe80::1%eth0` or `::ffff:10.0.0.1`.
 */
export function isPrivateAddress(address: string): boolean {
  const plain = address.trim().replace(/%.*$/, "");
  const url = URL.parse(plain.includes(":") ? `http://[${plain}]/` : `http://${plain}/`);
  if (!url || !/^(?:\[.*\]|[\d.]+)$/.test(url.hostname)) return true;
  return isPrivateHost(url.hostname);
}

/** Names of this machine or its network: special-use domains, and what routers and companies make up. */
const LOCAL_NAMES =
  /\.(?:localhost|localdomain|local|internal|intranet|private|corp|home|lan|home\.arpa|in-addr\.arpa|ip6\.arpa|test|invalid|onion)$/;

function isPrivateV4([a = 0, b = 0, c = 0, d = 0]: readonly number[]): boolean {
  return a === 0 || a === 10 || a === 127 || a >= 224 ||
    (a === 100 && b >= 64 && b < 128) ||
    (a === 169 && b === 254) ||
    // The wire server of a cloud, reached from its machines only.
    (a === 168 && b === 63 && c === 129 && d === 16) ||
    (a === 172 && b >= 16 && b < 32) ||
    (a === 192 && (b === 168 || (b === 0 && (c === 0 || c === 2)) || (b === 88 && c === 99))) ||
    (a === 198 && (b === 18 || b === 19 || (b === 51 && c === 100))) ||
    (a === 203 && b === 0 && c === 113);
}

/**
 * Only 2000::/3 is public. Mapped, compatible and translated (64:ff9b::/96) IPv4 addresses lie outside;
 * inside, 2001::/23 is for protocols (Teredo tunnels to IPv4), 2001:db8::/32 and 3fff::/20 for documents,
 * and 2002::/16 holds IPv4 addresses.
 */
function isPrivateV6(address: string): boolean {
  const [first = 0, second = 0] = address.split(":", 2).map((group) => parseInt(group || "0", 16));
  return first < 0x2000 || first > 0x3fff || first === 0x2002 ||
    (first === 0x2001 && (second < 0x200 || second === 0xdb8)) ||
    (first === 0x3fff && second < 0x1000);
}
