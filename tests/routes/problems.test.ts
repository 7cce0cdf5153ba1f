import { assertEquals, assertStringIncludes } from "@std/assert";
import { PROBLEMS } from "../../core/problem.ts";
import { problemResponse } from "../../routes/http/problem.ts";
import { problemRoutes } from "../../routes/problems.ts";

const app = problemRoutes();
app.onError((error) => problemResponse(error, { instance: "/", method: "GET" }));

Deno.test("GET /problems lists every kind", async () => {
  const response = await app.request("/problems");
  const { problems } = await response.json();
  assertEquals(problems.map(({ kind }: { kind: string }) => kind), Object.keys(PROBLEMS));
});

Deno.test("GET /problems/KIND tells of one, as JSON or as a page", async () => {
  const json = await app.request("/problems/upstream");
  assertEquals(await json.json(), {
    kind: "upstream",
    type: "/problems/upstream",
    ...PROBLEMS.upstream,
  });
  const page = await app.request("/problems/upstream", { headers: { accept: "text/html" } });
  assertStringIncludes(page.headers.get("content-type") ?? "", "text/html");
  assertStringIncludes(await page.text(), PROBLEMS.upstream.when.slice(0, 20));
  assertEquals([json, page].map(({ headers }) => headers.get("vary")), ["accept", "accept"]);
});

Deno.test("A kind that does not exist is not found", async () => {
  const response = await app.request("/problems/mismatsh", { headers: { accept: "text/html" } });
  assertEquals(response.status, 404);
  assertStringIncludes((await response.json()).detail, 'did you mean "mismatch"');
});
