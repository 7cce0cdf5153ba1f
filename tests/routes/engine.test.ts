import { assertEquals } from "@std/assert";
import { testApp } from "../support/service.ts";

Deno.test("GET /engine tells what merges run on and how many threads there are", async () => {
  for (const [engine, name] of [["auto", "fused"], ["wasm", "wasm"]] as const) {
    const { app, close } = testApp({ engine, workers: 2 });
    const response = await app.request("/engine");
    assertEquals(response.status, 200);
    assertEquals(await response.json(), { name, width: 2 });
    await close();
  }
});
