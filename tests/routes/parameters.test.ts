import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { problemOf } from "../support/merge_requests.ts";
import { testApp } from "../support/service.ts";

Deno.test("parameters that do not fit the table are refused before the route runs", async () => {
  const { app, close } = testApp();
  const refusal = async (path: string, init?: RequestInit) => {
    const { kind, status, parameter, detail, allowed } = await problemOf(
      await app.request(path, init),
    );
    assertEquals([kind, status], ["invalid-request", 400], path);
    return { parameter, detail, allowed };
  };
  const limit = await refusal("/checkpoints?limit=1e2");
  assertEquals([limit.parameter, limit.allowed], ["limit", undefined]);
  assertStringIncludes(limit.detail, 'an integer from 1 to 1000: current value is "1e2"');
  assertEquals((await refusal("/checkpoints?after=sha256:1")).parameter, "after");
  // Nothing of the body is read for an answer that nobody would get.
  const body = new ReadableStream({ pull: () => assert(false) }, { highWaterMark: 0 });
  const picture = await refusal("/analyze?picture=layer", { method: "POST", body });
  assertEquals(picture.parameter, "picture");
  assertStringIncludes(picture.detail, 'did you mean "layers"');
  assert(Array.isArray(picture.allowed) && picture.allowed.includes("overview"));
  await close();
});

Deno.test("a header field that does not fit is refused, and its value not told", async () => {
  const { app, close } = testApp();
  for (const key of ["k".repeat(256), "key\u00e9"]) {
    const response = await app.request("/merge", {
      method: "POST",
      headers: { "idempotency-key": key, "content-type": "application/json" },
      body: "{}",
    });
    const { kind, parameter, detail } = await problemOf(response);
    assertEquals([kind, parameter], ["invalid-request", "idempotency-key"]);
    assertStringIncludes(detail, `current length is ${key.length}`);
    assert(!detail.includes("kk") && !detail.includes("key\u00e9"));
  }
  await close();
});
