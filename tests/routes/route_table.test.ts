import { assert, assertEquals } from "@std/assert";
import { SCOPES } from "../../core/access.ts";
import { openApiPath } from "../../routes/openapi/document.ts";
import { methodsAt, operationOf } from "../../routes/table/find.ts";
import { OPERATIONS } from "../../routes/table/mod.ts";
import { testApp } from "../support/service.ts";

/** Routes that stand on purpose not in the table: none. */
const UNLISTED: readonly string[] = [];

Deno.test("the table and the routes of the application are the same", async () => {
  const { app, close } = testApp();
  const routes = app.routes.filter(({ method }) => method !== "ALL")
    .map(({ method, path }) => `${method} ${path}`)
    .filter((route) => !UNLISTED.includes(route));
  const listed = OPERATIONS.map(({ method, path }) => `${method} ${path}`);
  assertEquals([...new Set(routes)].sort(), [...listed].sort());
  await close();
});

Deno.test("every operation has a name of its own, scopes that exist, and its path's parameters", () => {
  const ids = OPERATIONS.map(({ id }) => id);
  assertEquals(new Set(ids).size, ids.length);
  for (const { id, path, scopes, parameters = [], method, long, body } of OPERATIONS) {
    assert(scopes.every((scope) => SCOPES.includes(scope)), id);
    const inPath = [...openApiPath(path).matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
    const described = parameters.filter((parameter) => parameter.in === "path");
    assertEquals(described.map(({ name }) => name), inPath, id);
    assertEquals(method === "POST", body !== undefined, id);
    if (long) assertEquals(body?.kind, "document", id);
  }
});

Deno.test("a request finds its operation by method and path", () => {
  assertEquals(operationOf("HEAD", "/checkpoints/x")?.id, "getCheckpoint");
  assertEquals(operationOf("GET", "/checkpoints/x/tensors")?.id, "listTensors");
  assertEquals(operationOf("GET", "/openapiXjson"), undefined);
  assertEquals(operationOf("GET", "/merge"), undefined);
  assertEquals(operationOf("GET", "/jobs/"), undefined);
  assertEquals(methodsAt("/checkpoints/x"), ["DELETE", "GET", "HEAD"]);
  assertEquals(methodsAt("/nowhere"), []);
});
