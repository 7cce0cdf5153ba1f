import { assertEquals } from "@std/assert";
import { Hono } from "hono";
import { bearerAuth } from "../../../routes/http/auth.ts";
import { problemResponse } from "../../../routes/http/problem.ts";

/** SHA-256 of "abc" and of the empty text. */
const ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
const EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

function app(digests: string[]) {
  return new Hono().use(bearerAuth(digests)).all("*", (context) => context.text("in"))
    .onError((error) => problemResponse(error, { instance: "/", method: "GET" }));
}

async function statusOf(digests: string[], authorization?: string, path = "/merge") {
  const headers: HeadersInit = authorization === undefined ? {} : { authorization };
  const response = await app(digests).request(path, { headers });
  await response.body?.cancel();
  return response.status;
}

Deno.test("bearerAuth() lets listed keys in, and nobody else", async () => {
  const digests = [EMPTY, ABC];
  assertEquals(await statusOf(digests, "Bearer abc"), 200);
  assertEquals(await statusOf(digests, "bearer abc"), 200);
  for (
    const header of [
      undefined,
      "",
      "Bearer",
      "Bearer ",
      "Bearer abcd",
      "Bearer ab",
      "Basic abc",
      "abc",
      `Bearer ${ABC}`,
      "Bearer abc abc",
    ]
  ) {
    assertEquals(await statusOf(digests, header), 401, header);
  }
});

Deno.test("bearerAuth() refuses with a problem that asks for a key and does not repeat the one given", async () => {
  const response = await app([ABC]).request("/methods", {
    headers: { authorization: "Bearer wrong-key" },
  });
  assertEquals(response.headers.get("www-authenticate"), 'Bearer realm="amalgam"');
  const text = await response.text();
  assertEquals(JSON.parse(text).type, "/problems/unauthorized");
  assertEquals(text.includes("wrong-key"), false);
});

Deno.test("bearerAuth() leaves the health checks and the page open, and everything where no key is set", async () => {
  assertEquals(await statusOf([ABC], undefined, "/healthz"), 200);
  assertEquals(await statusOf([ABC], undefined, "/readyz"), 200);
  assertEquals(await statusOf([ABC], undefined, "/healthz/x"), 401);
  assertEquals(await statusOf([ABC], undefined, "/"), 200);
  assertEquals(await statusOf([ABC], undefined, "/page/main.js"), 200);
  assertEquals(await statusOf([ABC], undefined, "/page/a/b"), 401);
  assertEquals(await statusOf([ABC], undefined, "/methods"), 401);
  assertEquals(await statusOf([]), 200);
});
