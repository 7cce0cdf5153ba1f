/**
 * One line of the log per request, written when its answer is through.
 *
 * @module
 */
import type { Context, MiddlewareHandler } from "hono";
import { matchedRoutes } from "hono/route";
import type { Lifecycle } from "../../core/lifecycle.ts";
import type { EventLevel, Log } from "../../core/log.ts";
import { bytesReceived, bytesSent, problems } from "../../core/telemetry/instruments.ts";
import { nameRequest, traceId } from "../../core/telemetry/request_span.ts";
import { factsOf } from "./request_facts.ts";
import { type SentAnswer, watchAnswer } from "./sent_answer.ts";

/** Probes come every few seconds; nobody wants to read them. */
export const PROBES: readonly string[] = ["/healthz", "/readyz"];

/** These last as long as their job, which goes on in the next process. */
const ENDLESS = "/jobs/:id/events";

/**
 * Counts every request as work under way until its answer is through, and tells of it once: id, method, route, status, milliseconds, bytes in and out, the kind of its problem, its
 * caller, and whether it was given up before its end. Neither path nor query, which hold what callers write.
 */
export function accessLog(log: Log, lifecycle: Lifecycle): MiddlewareHandler {
  return async function accessLog(context, next) {
    const began = performance.now();
    const { raw, method } = context.req;
    const leave = lifecycle.enter();
    try {
      await next();
    } catch (error) {
      leave();
      throw error;
    }
    const { status } = context.res;
    const route = routeOf(context);
    if (route === ENDLESS) leave();
    const { id } = factsOf(raw);
    nameRequest(method, route, { "amalgam.request": id });
    const trace = traceId();
    const { res } = context;
    context.res = undefined;
    context.res = await watchAnswer(res, method, raw.signal, (sent) => {
      leave();
      const { caller, received, job } = factsOf(raw);
      const problem = problemKind(res.headers, sent);
      bytesReceived(received, { "http.route": route });
      bytesSent(sent.bytes, { "http.route": route });
      if (problem !== undefined) problems(1, { kind: problem });
      log(levelOf(route, status), "request", {
        request: id,
        method,
        route,
        status,
        ms: Math.round(1000 * (performance.now() - began)) / 1000,
        bytes_in: received,
        bytes_out: sent.bytes,
        problem,
        caller,
        job,
        trace,
        ...(sent.aborted ? { aborted: true } : {}),
      });
    });
  };
}

/** The template of the route that answers, such as `/jobs/:id`; `none` if there is none. */
export function routeOf(context: Context): string {
  return matchedRoutes(context).findLast(({ method }) => method !== "ALL")?.path ?? "none";
}

function levelOf(route: string, status: number): EventLevel {
  if (PROBES.includes(route)) return "debug";
  return status >= 500 && status !== 503 ? "error" : "info";
}

function problemKind(headers: Headers, { text }: SentAnswer): string | undefined {
  if (!text || headers.get("content-type") !== "application/problem+json") return undefined;
  const { type } = JSON.parse(new TextDecoder().decode(text)) as { readonly type?: unknown };
  return typeof type === "string" ? type.replace("/problems/", "") : undefined;
}
