import { assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { Hono } from "hono";
import { problemResponse } from "../../../routes/http/problem.ts";
import { requestId } from "../../../routes/http/request_id.ts";

const app = new Hono().use(requestId())
  .get("/plain", () => new Response("x"))
  .get("/frozen", () => Response.redirect("http://localhost/plain"))
  .get("/failing", () => {
    throw new URIError("x");
  })
  .onError((error) => problemResponse(error, { instance: "/", method: "GET" }));

async function idOf(path: string, given?: string): Promise<string | null> {
  const headers: HeadersInit = given === undefined ? {} : { "x-request-id": given };
  const response = await app.request(path, { headers });
  await response.body?.cancel();
  return response.headers.get("x-request-id");
}

Deno.test("requestId() answers with a sane id that was given, on every answer", async () => {
  for (const path of ["/plain", "/frozen", "/failing", "/nowhere"]) {
    assertEquals(await idOf(path, "a1-b.c:d_e"), "a1-b.c:d_e", path);
  }
});

Deno.test("requestId() makes an id where none or a wild one was given", async () => {
  const made: (string | null)[] = [];
  for (const given of [undefined, "", "a b", "<script>", "x".repeat(129)]) {
    const id = await idOf("/plain", given);
    assertMatch(id ?? "", /^[0-9a-f-]{36}$/);
    made.push(id);
  }
  assertNotEquals(made[0], made[1]);
});
