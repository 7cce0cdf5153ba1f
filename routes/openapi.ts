/**
 * `GET /openapi.json` and `GET /docs`: the service's description, for programs and for readers.
 *
 * @module
 */
import { Hono } from "hono";
import { etag } from "hono/etag";
import { DOCS_POLICY, docsPage } from "./openapi/docs_page.ts";
import { DOCS_STYLE } from "./openapi/docs_style.ts";
import { openApiDocument } from "./openapi/document.ts";

/** Kept, but asked for again: a new version has another tag. */
const CACHE = "no-cache";

/** The resources' routes. What they answer is made once, when it is first asked for. */
export function openApiRoutes() {
  let document: ReturnType<typeof openApiDocument> | undefined;
  let page: string | undefined;
  return new Hono()
    .get("/openapi.json", etag(), (context) => {
      context.header("cache-control", CACHE);
      return context.json(document ??= openApiDocument());
    })
    .get("/docs", etag(), (context) => {
      context.header("cache-control", CACHE);
      context.header("content-security-policy", DOCS_POLICY);
      return context.html(page ??= docsPage(document ??= openApiDocument()));
    })
    .get("/docs/style.css", etag(), (context) => {
      context.header("cache-control", CACHE);
      return context.body(DOCS_STYLE, 200, { "content-type": "text/css; charset=utf-8" });
    });
}
