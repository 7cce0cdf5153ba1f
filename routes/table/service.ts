/**
 * The operations of the service itself.
 *
 * @module
 */
import { Alive, Engine, OpenApi, Overview, Ready } from "./answers/service.ts";
import { empty, json, type Operation } from "./operation.ts";
import { IF_NONE_MATCH, inPath } from "./parameters.ts";

const ETAG = { etag: "Changes with the content." };
const UNCHANGED = empty("It has not changed.");

/** The operations. */
export const SERVICE_OPERATIONS: readonly Operation[] = [
  {
    id: "getOverview",
    method: "GET",
    path: "/",
    tag: "Service",
    summary: "Tells programs where everything is, and shows browsers the page",
    description:
      "Who accepts `text/html` is answered the page. It needs no key, as a person enters the key there.",
    scopes: [],
    parameters: [IF_NONE_MATCH],
    answers: {
      200: {
        description: "Names of resources and their addresses, or the page.",
        content: {
          "application/json": { kind: "json", schema: Overview },
          "text/html": { kind: "text" },
        },
      },
      304: UNCHANGED,
    },
  },
  {
    id: "getPageFile",
    method: "GET",
    path: "/page/:file",
    tag: "Service",
    summary: "A file that the page is made of",
    scopes: [],
    parameters: [inPath("file", "Its name."), IF_NONE_MATCH],
    answers: {
      200: {
        description: "A script, a style sheet, a picture or compiled code.",
        content: {
          "text/javascript": { kind: "text" },
          "text/css": { kind: "text" },
          "text/html": { kind: "text" },
          "image/svg+xml": { kind: "text" },
          "application/wasm": { kind: "bytes" },
          "application/octet-stream": { kind: "bytes" },
        },
        headers: ETAG,
      },
      304: UNCHANGED,
    },
    problems: ["not-found"],
  },
  {
    id: "getEngine",
    method: "GET",
    path: "/engine",
    tag: "Service",
    summary: "Tells what the next merge runs on, and why",
    scopes: ["read", "merge", "tune"],
    answers: { 200: json("The engine.", Engine) },
  },
  {
    id: "getHealth",
    method: "GET",
    path: "/healthz",
    tag: "Service",
    summary: "Answers while the process is alive",
    scopes: [],
    answers: { 200: json("Alive.", Alive) },
  },
  {
    id: "getReadiness",
    method: "GET",
    path: "/readyz",
    tag: "Service",
    summary: "Answers while the store and the engine do",
    scopes: [],
    answers: { 200: json("Ready.", Ready) },
  },
  {
    // Without a key, as a link in a browser carries none; nothing in them is secret.
    id: "getOpenApi",
    method: "GET",
    path: "/openapi.json",
    tag: "Service",
    summary: "Describes every operation for programs (OpenAPI 3.1)",
    scopes: [],
    parameters: [IF_NONE_MATCH],
    answers: { 200: json("The description.", OpenApi, ETAG), 304: UNCHANGED },
  },
  {
    id: "getDocs",
    method: "GET",
    path: "/docs",
    tag: "Service",
    summary: "Describes every operation for readers",
    scopes: [],
    parameters: [IF_NONE_MATCH],
    answers: {
      200: {
        description: "The page.",
        content: { "text/html": { kind: "text" } },
        headers: ETAG,
      },
      304: UNCHANGED,
    },
  },
  {
    id: "getDocsStyle",
    method: "GET",
    path: "/docs/style.css",
    tag: "Service",
    summary: "The style of the page",
    scopes: [],
    parameters: [IF_NONE_MATCH],
    answers: {
      200: {
        description: "The style sheet.",
        content: { "text/css": { kind: "text" } },
        headers: ETAG,
      },
      304: UNCHANGED,
    },
  },
];
