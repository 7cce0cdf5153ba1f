/**
 * `GET /methods`: the catalogue.
 *
 * @module
 */
import { Hono } from "hono";
import { catalogue } from "../core/methods/catalogue.ts";
import { METHODS } from "../core/methods/mod.ts";
import { nearestNames } from "../core/merge/nearest.ts";
import { Problem } from "../core/problem.ts";

/** The resource's routes. */
export function methodRoutes() {
  const entries = catalogue(METHODS);
  return new Hono()
    .get("/methods", (context) => context.json({ methods: entries }))
    .get("/methods/:name", (context) => {
      const name = context.req.param("name");
      const entry = entries.find((method) => method.name === name);
      if (entry) return context.json(entry);
      throw new Problem("not-found", `There is no method of this name: current value is ${name}`, {
        nearest: nearestNames(name, METHODS.keys()),
      });
    });
}
