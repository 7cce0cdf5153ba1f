/**
 * Which scope each request needs, from the route table.
 *
 * @module
 */
import type { Scope } from "../../core/access.ts";
import { operationOf } from "../table/find.ts";

/** Whether a request is answered without a key, and at any name of the host. */
export function isOpen(method: string, path: string): boolean {
  return operationOf(method, path)?.scopes.length === 0;
}

/**
 * The scopes of which a request needs one; undefined if it needs no key. What stands not in the table needs `read` to
 * be read and `admin` for everything else, so that a forgotten route is closed rather than open.
 */
export function neededScopes(method: string, path: string): readonly Scope[] | undefined {
  const operation = operationOf(method, path);
  if (operation) return operation.scopes.length === 0 ? undefined : operation.scopes;
  return method === "GET" || method === "HEAD" ? ["read"] : ["admin"];
}
