/**
 * `GET /`: the page, or where everything is; `GET /page/{file}`: what the page is made of.
 *
 * @module
 */
import { type Context, Hono } from "hono";
import { Problem } from "../../core/problem.ts";
import { rootDocument } from "../root.ts";

/** A file of the built page. */
export type PageFile = (name: string) => Promise<Uint8Array<ArrayBuffer> | undefined>;

/** What the page stands on. */
export interface PagePorts {
  /** The page's files; absent where there is no page. */
  readonly page?: PageFile;
}

/**
 * Scripts, styles, workers and requests of this origin only; WebAssembly may be compiled, nothing is evaluated.
 * Pictures and downloads are made by the page itself.
 */
const POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "connect-src 'self'",
  "worker-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

const TYPES: Readonly<Record<string, string>> = {
  css: "text/css; charset=utf-8",
  html: "text/html; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  mjs: "text/javascript; charset=utf-8",
  svg: "image/svg+xml",
  wasm: "application/wasm",
};

/** The resource's routes. */
export function pageRoutes({ page }: PagePorts) {
  return new Hono()
    .get("/", async (context) => {
      context.header("vary", "accept");
      const isWanted = /text\/html/.test(context.req.header("accept") ?? "");
      const html = isWanted ? await page?.("index.html") : undefined;
      return html ? await file(context, "index.html", html) : context.json(rootDocument());
    })
    .get("/page/:file", async (context) => {
      const name = context.req.param("file");
      const bytes = /^[\w-][\w.-]*$/.test(name) ? await page?.(name) : undefined;
      if (bytes) return await file(context, name, bytes);
      throw new Problem("not-found", `The page has no such file: current value is ${name}`);
    });
}

async function file(
  context: Context,
  name: string,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<Response> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toBase64();
  const etag = `"${digest}"`;
  const headers = {
    "content-type": TYPES[name.slice(name.lastIndexOf(".") + 1)] ?? "application/octet-stream",
    "content-security-policy": POLICY,
    "cache-control": "no-cache",
    etag,
  };
  return context.req.header("if-none-match") === etag
    ? context.body(null, 304, headers)
    : context.body(bytes, 200, headers);
}
