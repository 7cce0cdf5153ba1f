/**
 * Variables of the environment that look like settings and are none: misspelt ones, which would be ignored in silence.
 *
 * @module
 */
import { nearest } from "../merge/nearest.ts";

const PREFIX = "AMALGAM_";
/** What may hold secrets, also where its name is misspelt. */
const SECRET = ["AMALGAM_KEYS", "AMALGAM_HUB", "AMALGAM_HUB_TOKEN", "AMALGAM_CORS"];

/** What Kubernetes tells every container of a service of that name; `_PORT` alone is an address there. */
const SERVICE_LINK = /_SERVICE_HOST$|_SERVICE_PORT(?:_|$)|_PORT_\d+_(?:TCP|UDP|SCTP)(?:_|$)/;
const SERVICE_ADDRESS = /^(?:tcp|udp|sctp):\/\//;

/**
 * What is wrong with the names in an environment, one line for each.
 *
 * @param known The names of all settings.
 */
export function unknownSettings(
  environment: Readonly<Record<string, string | undefined>>,
  known: ReadonlySet<string>,
): string[] {
  const faults: string[] = [];
  // The prefix, which all have in common, would make everything near.
  const settings = new Map(
    [...known].map((name) => [name.startsWith(PREFIX) ? name.slice(PREFIX.length) : name, name]),
  );
  for (const name of Object.keys(environment).sort()) {
    const text = environment[name]?.trim() || undefined;
    if (!name.startsWith(PREFIX) || known.has(name) || text === undefined) continue;
    if (SERVICE_LINK.test(name) || SERVICE_ADDRESS.test(text)) continue;
    const rest = name.slice(PREFIX.length);
    const meant = settings.get(nearest(rest, settings.keys()) ?? "");
    const near = meant === undefined ? "" : `, did you mean "${meant}"`;
    // A value of which nobody knows what it is may be a key or a token.
    const shown = meant === undefined || SECRET.includes(meant) ? "" : `: current value is ${text}`;
    faults.push(`${name} is no setting${near}${shown}`);
  }
  return faults;
}
