import { assertEquals } from "@std/assert";
import { requestAbort } from "../../../routes/http/request_abort.ts";

Deno.test("work ends with its request, whenever that was aborted", () => {
  for (const early of [true, false]) {
    const client = new AbortController();
    const request = new Request("http://localhost", { signal: client.signal });
    if (early) client.abort("stopped");
    const { signal } = requestAbort(request);
    assertEquals(signal.aborted, early);
    client.abort("stopped");
    assertEquals([signal.aborted, signal.reason], [true, "stopped"]);
  }
});

Deno.test("the end of the work is not the end of the request", () => {
  const request = new Request("http://localhost");
  requestAbort(request).abort();
  assertEquals(request.signal.aborted, false);
});
