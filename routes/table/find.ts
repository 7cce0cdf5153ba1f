/**
 * Finds the operation of a request in the route table.
 *
 * @module
 */
import type { Operation } from "./operation.ts";
import { OPERATIONS } from "./mod.ts";

const PATTERNS = OPERATIONS.map((operation) => ({
  operation,
  pattern: patternOf(operation.path),
}));

function patternOf(path: string): RegExp {
  const literal = path.replaceAll(/[.+?^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`^${literal.replaceAll(/:[^/]+/g, "[^/]+").replace(/\*$/, ".*")}$`);
}

/** The operations at a path, whatever their methods. */
export function operationsAt(path: string): readonly Operation[] {
  return PATTERNS.filter(({ pattern }) => pattern.test(path)).map(({ operation }) => operation);
}

/** The operation of a request; that of `GET` answers `HEAD` too. */
export function operationOf(method: string, path: string): Operation | undefined {
  const wanted = method === "HEAD" ? "GET" : method;
  return operationsAt(path).find((operation) => operation.method === wanted);
}

/** The methods that a path takes, for `Allow`. */
export function methodsAt(path: string): string[] {
  const methods = operationsAt(path).flatMap(({ method }) =>
    method === "GET" ? ["GET", "HEAD"] : [method]
  );
  return [...new Set(methods)].sort();
}
