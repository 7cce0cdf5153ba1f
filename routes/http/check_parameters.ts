/**
 * Checks the parameters of a request against the route table.
 *
 * @module
 */
import type { Context, MiddlewareHandler } from "hono";
import * as v from "valibot";
import { mustBe } from "../../core/merge/faults.ts";
import { didYouMean } from "../../core/merge/nearest.ts";
import { Problem } from "../../core/problem.ts";
import { operationOf } from "../table/find.ts";
import type { Parameter } from "../table/operation.ts";

/** Refuses a request one of whose checked parameters does not fit its schema. */
export function checkParameters(): MiddlewareHandler {
  return async function checkParameters(context, next) {
    const { method, path } = context.req;
    for (const parameter of operationOf(method, path)?.parameters ?? []) {
      if (parameter.checked) check(context, parameter);
    }
    await next();
  };
}

function check(context: Context, { name, in: place, schema }: Parameter): void {
  const given = place === "header" ? context.req.header(name) : context.req.query(name);
  if (given === undefined) return;
  const value = schema.type === "number" ? numberOf(given) : given;
  const { issues, success } = v.safeParse(schema, value);
  if (success) return;
  const allowed = optionsOf(schema);
  throw new Problem(
    "invalid-request",
    // A header field may hold what is nobody's business.
    place === "header"
      ? `Cannot use ${name} as it must be ${issues[0].message}: current length is ${given.length}`
      : mustBe(name, `${issues[0].message}${didYouMean(given, allowed)}`, given),
    { parameter: name, ...(allowed.length > 0 ? { allowed } : {}) },
  );
}

/** The names that a picklist takes. */
function optionsOf(schema: v.GenericSchema): string[] {
  return "options" in schema && schema.type === "picklist" && Array.isArray(schema.options)
    ? schema.options.map(String)
    : [];
}

/** A decimal number; NaN for anything else. */
function numberOf(text: string): number {
  return /^-?\d+(?:\.\d+)?$/.test(text) ? Number(text) : NaN;
}
