import { assertEquals, assertRejects } from "@std/assert";
import { Problem } from "../../../core/problem.ts";
import { ownOriginFetch } from "../../../routes/page/here/own_origin.ts";

Deno.test("a page reads its own origin, without credentials and redirects", async () => {
  const asked: unknown[] = [];
  const fetch = ownOriginFetch("https://here.example", (url, init) => {
    asked.push([url, init]);
    return Promise.resolve(new Response("bytes"));
  });
  const headers = { range: "bytes=0-7" };
  const answer = await fetch("https://here.example/checkpoints/x", { headers });
  assertEquals(await answer.text(), "bytes");
  assertEquals(asked, [[
    "https://here.example/checkpoints/x",
    { headers, credentials: "omit", redirect: "error" },
  ]]);
});

Deno.test("a page reads no other origin, and says what to do instead", async () => {
  const fetch = ownOriginFetch("https://here.example", () => {
    throw new Error("It was asked");
  });
  const others = ["http://here.example/x", "https://here.example:8443/x", "https://hub.example/x"];
  for (const url of others) {
    const problem = await assertRejects(() => fetch(url, {}), Problem);
    assertEquals([problem.kind, problem.members.host], ["forbidden-source", new URL(url).host]);
    assertEquals(/run it in the service: current value is /.test(problem.message), true);
  }
});
