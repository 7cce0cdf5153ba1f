/**
 * Which scope each route needs: the one table.
 *
 * @module
 */
import type { Scope } from "../../core/access.ts";

/** Routes that answer without a key. */
export const OPEN_ROUTES: readonly string[] = ["/healthz", "/readyz"];

/**
 * Scopes by method and path; any one of them is enough. What is not listed needs `read` to be read and `admin` for
 * everything else, so that a forgotten route is closed rather than open.
 */
export const ROUTE_SCOPES: Readonly<Record<string, readonly Scope[]>> = {
  "POST /merge": ["merge"],
  "POST /plan": ["merge"],
  "POST /analyze": ["merge"],
  "POST /task-vectors": ["merge"],
  "POST /adapters": ["merge"],
  // Whoever may merge or tune must be able to store what is merged or tuned.
  "POST /checkpoints": ["merge", "tune"],
  "POST /tune": ["tune"],
  "POST /evaluate": ["tune"],
  "POST /training-graph": ["tune"],
  "POST /statistics": ["tune"],
  "POST /atm": ["tune"],
  // What a key has made it may follow and fetch; ids cannot be guessed. A coordinator of rounds needs no more
  // than `tune` at a participant.
  "GET /checkpoints/:id": ["read", "merge", "tune"],
  "HEAD /checkpoints/:id": ["read", "merge", "tune"],
  "GET /merges/:id/report": ["read", "merge"],
  "GET /engine": ["read", "merge", "tune"],
  "GET /jobs/:id": ["read", "merge", "tune"],
  "GET /jobs/:id/events": ["read", "merge", "tune"],
  // Whoever may start a job may end one.
  "DELETE /jobs/:id": ["merge", "tune"],
  "DELETE /checkpoints/:id": ["admin"],
};

const PATTERNS = Object.entries(ROUTE_SCOPES).map(([route, scopes]) => {
  const [method, path] = route.split(" ") as [string, string];
  return { method, pattern: new RegExp(`^${path.replaceAll(/:[^/]+/g, "[^/]+")}$`), scopes };
});

/** The page and its files, which must be there before anybody can enter a key; they hold nothing of the service's. */
const PAGE = /^\/(?:page\/[^/]+)?$/;

/** The scopes of which a request needs one; undefined if it needs no key. */
export function neededScopes(method: string, path: string): readonly Scope[] | undefined {
  if (OPEN_ROUTES.includes(path)) return undefined;
  if ((method === "GET" || method === "HEAD") && PAGE.test(path)) return undefined;
  const found = PATTERNS.find((entry) => entry.method === method && entry.pattern.test(path));
  if (found) return found.scopes;
  return method === "GET" || method === "HEAD" ? ["read"] : ["admin"];
}
