/**
 * Which URLs the service may read.
 *
 * A URL is a way into the network that the service stands in. Only listed hosts are read, and no literal
 * address of a private network is unless it is listed with its port.
 *
 * @module
 */
import { Problem } from "../problem.ts";
import { isPrivateHost } from "./private_host.ts";

/**
 * Refuses a URL that is not allowed.
 *
 * @param allow Hosts: `example.org`, `*.example.org` (its subdomains), `*` (any public host), and
 * `127.0.0.1:9000`, a host with a port, which allows that very address even if it is private.
 * @throws {Problem} `forbidden-source`; it names the host, never the path, query or credentials.
 * `invalid-request` if `url` is no URL.
 */
export function checkSourceUrl(url: string | URL, allow: readonly string[]): void {
  const parsed = typeof url === "string" ? URL.parse(url) : url;
  if (!parsed) {
    // Without the value: what cannot be parsed may hold credentials anywhere.
    throw new Problem("invalid-request", "Cannot read the source as its address is not a URL");
  }
  const { protocol, hostname, username, password } = parsed;
  if (protocol !== "https:" && protocol !== "http:") {
    throw forbidden("its scheme must be https or http", protocol.slice(0, -1));
  }
  const host = hostname.replace(/\.+$/, "");
  if (username !== "" || password !== "") {
    throw forbidden("its URL must not hold credentials", host, { host });
  }
  if (isExempt(parsed, allow)) return;
  if (isPrivateHost(host)) {
    throw forbidden("its address must be public", host, { host });
  }
  const listed = allow.some((entry) =>
    entry === "*" || entry === host || (entry.startsWith("*.") && host.endsWith(entry.slice(1)))
  );
  if (!listed) {
    throw forbidden("its host must be among those that the operator allows", host, { host });
  }
}

/** Whether a host is listed with the port: the operator vouches for that very address, even if it is private. */
export function isExempt({ protocol, hostname, port }: URL, allow: readonly string[]): boolean {
  const used = port || (protocol === "https:" ? "443" : "80");
  return allow.includes(`${hostname.replace(/\.+$/, "")}:${used}`);
}

/** What is wrong with an entry of the list of allowed hosts, or undefined. */
export function allowEntryFault(entry: string): string | undefined {
  if (entry === "*") return undefined;
  const name = entry.replace(/^\*\./, "");
  const [, host] = /^([\w.-]+|\[[\da-f:.]+\])(?::\d{1,5})?$/.exec(name) ?? [];
  const normal = host === undefined ? undefined : URL.parse(`http://${name}`)?.hostname;
  if (host === undefined || normal === undefined) return "must be a host, *.host, host:port or *";
  // URLs are compared in normal form: an entry in another would never match.
  return normal === host ? undefined : `must be written as ${entry.replace(host, normal)}`;
}

function forbidden(reason: string, value: string, members = {}): Problem {
  return new Problem(
    "forbidden-source",
    `Cannot read the source as ${reason}: current value is ${value}`,
    members,
  );
}
