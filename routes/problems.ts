/**
 * `/problems` and `/problems/KIND`: what the `type` of a problem document points to, for programs and
 * for readers.
 *
 * @module
 */
import { type Context, Hono } from "hono";
import { html } from "hono/html";
import { didYouMean } from "../core/merge/nearest.ts";
import { Problem, PROBLEMS } from "../core/problem.ts";
import { preferredType } from "./http/negotiate.ts";

const ENTRIES = Object.entries(PROBLEMS).map(([kind, info]) => ({
  kind,
  type: `/problems/${kind}`,
  ...info,
}));

type Entry = typeof ENTRIES[number];

/** The resource's routes. */
export function problemRoutes() {
  return new Hono()
    .get("/problems", (context) => {
      return prefersPage(context)
        ? context.html(page("Problems", ENTRIES))
        : context.json({ problems: ENTRIES });
    })
    .get("/problems/:kind", (context) => {
      const kind = context.req.param("kind");
      const entry = ENTRIES.find((each) => each.kind === kind);
      if (!entry) {
        const near = didYouMean(kind, Object.keys(PROBLEMS));
        throw new Problem(
          "not-found",
          `There is no problem of this kind${near}: current value is ${kind}`,
        );
      }
      return prefersPage(context) ? context.html(page(entry.title, [entry])) : context.json(entry);
    });
}

function prefersPage(context: Context): boolean {
  context.header("vary", "accept");
  const offers = ["application/json", "text/html"] as const;
  return preferredType(context.req.header("accept"), offers) === "text/html";
}

function page(title: string, entries: readonly Entry[]) {
  const rows = entries.map(({ kind, type, status, title, when }) =>
    html`
      <dt id="${kind}"><a href="${type}">${kind}</a> (${status}): ${title}</dt>
      <dd>${when}</dd>
    `
  );
  return html`
    <!doctype html>
    <html lang="en">
      <meta charset="utf-8">
      <title>${title}</title>
      <h1>${title}</h1>
      <dl>${rows}</dl>
      <p><a href="/problems">All problems</a></p>
    </html>
  `;
}
