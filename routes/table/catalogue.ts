/**
 * The operations of `/methods` and `/problems`.
 *
 * @module
 */
import { Method, MethodList, ProblemEntry, ProblemList } from "./answers/catalogue.ts";
import { type Answer, json, type Operation } from "./operation.ts";
import { inPath } from "./parameters.ts";
import type { GenericSchema } from "valibot";

function jsonOrPage(description: string, schema: GenericSchema): Answer {
  return {
    description,
    content: {
      "application/json": { kind: "json", schema },
      "text/html": { kind: "text" },
    },
  };
}

/** The operations. */
export const CATALOGUE_OPERATIONS: readonly Operation[] = [
  {
    id: "listMethods",
    method: "GET",
    path: "/methods",
    tag: "Catalogue",
    summary: "Lists the merge methods with their parameters",
    scopes: ["read"],
    answers: { 200: json("The catalogue.", MethodList) },
  },
  {
    id: "getMethod",
    method: "GET",
    path: "/methods/:name",
    tag: "Catalogue",
    summary: "Tells of one merge method",
    scopes: ["read"],
    parameters: [inPath("name", "The name, as in recipes.")],
    answers: { 200: json("The method.", Method) },
    problems: ["not-found"],
  },
  {
    id: "listProblems",
    method: "GET",
    path: "/problems",
    tag: "Catalogue",
    summary: "Lists the kinds of problems",
    scopes: ["read"],
    answers: { 200: jsonOrPage("Every kind.", ProblemList) },
  },
  {
    id: "getProblem",
    method: "GET",
    path: "/problems/:kind",
    tag: "Catalogue",
    summary: "Tells of one kind of problem: what the `type` of a problem points to",
    scopes: ["read"],
    parameters: [inPath("kind", "The kind.")],
    answers: { 200: jsonOrPage("The kind.", ProblemEntry) },
    problems: ["not-found"],
  },
];
