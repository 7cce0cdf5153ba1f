/**
 * `GET /openapi.json` and `GET /docs`: the service's description, for programs and for readers.
 *
 * @module
 */
import { Hono } from "hono";
import { etag } from "hono/etag";
import { DOCS_STYLE } from "./openapi/docs_style.ts";
import type { OpenApiDocument } from "./openapi/document.ts";

/** Kept, but asked for again: a new version has another tag. */
const CACHE = "no-cache";

/** What a browser may load for the page. */
export const DOCS_POLICY = "default-src 'none'; style-src 'self'; base-uri 'none'; " +
  "form-action 'none'; frame-ancestors 'none'";

/** The resources' routes. What they answer is made once, when it is first asked for, and what makes it loaded then. */
export function openApiRoutes() {
  let document: Promise<OpenApiDocument> | undefined;
  let page: Promise<string> | undefined;
  const makeDocument = async () => (await import("./openapi/document.ts")).openApiDocument();
  const makePage = async () => {
    const { docsPage } = await import("./openapi/docs_page.ts");
    return docsPage(await (document ??= makeDocument()));
  };
  return new Hono()
    .get("/openapi.json", etag(), async (context) => {
      context.header("cache-control", CACHE);
      return context.json(await (document ??= makeDocument()));
    })
    .get("/docs", etag(), async (context) => {
      context.header("cache-control", CACHE);
      context.header("content-security-policy", DOCS_POLICY);
      return context.html(await (page ??= makePage()));
    })
    .get("/docs/style.css", etag(), (context) => {
      context.header("cache-control", CACHE);
      return context.body(DOCS_STYLE, 200, { "content-type": "text/css; charset=utf-8" });
    });
}
