/**
 * Types of requests and answers for the typed client. They say what the route table's schemas say; nothing happens at
 * run time.
 *
 * @module
 */
import type { Env, MiddlewareHandler, TypedResponse } from "hono";

/** Header fields of long calls. */
export interface JobHeaders {
  readonly prefer?: string;
  readonly "idempotency-key"?: string;
  readonly accept?: string;
}

/** A body with a document: alone as `json`, or as `form`, its part first and then a file part for each source. */
export interface DocumentInput<Document> {
  readonly json?: Document;
  readonly form?: Readonly<Record<string, string | Blob>>;
  readonly header?: JobHeaders;
}

/** Says what a route takes. */
export function takes<In extends object>(): MiddlewareHandler<Env, string, { in: In }> {
  return async function takes(_context, next) {
    await next();
  };
}

/** Says what the JSON of a successful answer is. */
export function told<Told>(
  response: Promise<Response>,
): Promise<Response & TypedResponse<Told, 200, "json">> {
  return response as Promise<Response & TypedResponse<Told, 200, "json">>;
}
