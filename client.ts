/**
 * A typed client of the service: paths, parameters, documents and answers are checked by the compiler.
 *
 * ```ts
 * const client = createClient("http://localhost:8000");
 * const answer = await client.plan.$post({
 *   json: { merge_method: "linear", models: [{ model: "sha256:…" }, { model: "sha256:…" }] },
 * });
 * if (answer.ok) console.log((await answer.json()).bytes_out);
 * ```
 *
 * With uploads the body is a form, the document first: `{ form: { recipe: JSON.stringify(recipe), tuned: file } }`. A
 * failure is a problem document; see `/docs`.
 *
 * @module
 */
import { hc } from "hono/client";
import type { AppType } from "./routes/app.ts";

export type { AppType } from "./routes/app.ts";

/** How the service is called. */
export interface ClientOptions {
  /** The bearer key, where the service asks for one. */
  readonly key?: string;
  /** What sends requests; the global `fetch` by default. */
  readonly fetch?: (input: Request | URL | string, init?: RequestInit) => Promise<Response>;
}

/** A client of the service. */
export type Client = ReturnType<typeof hc<AppType>>;

/**
 * Makes a client.
 *
 * @param origin Where the service is, such as `http://localhost:8000`.
 */
export function createClient(origin: string, { key, fetch }: ClientOptions = {}): Client {
  return hc<AppType>(origin, {
    ...(key === undefined ? {} : { headers: { authorization: `Bearer ${key}` } }),
    ...(fetch === undefined ? {} : { fetch }),
  });
}
