import { assertEquals, assertRejects } from "@std/assert";
import { pause, retryAfter, untilAborted, waitBefore } from "../../core/checkpoint/backoff.ts";

Deno.test("waits double with jitter, follow the server, and stay within the limit", () => {
  const backoff = { base_ms: 100, limit_ms: 1000 };
  const least = () => 0;
  assertEquals([0, 1, 2, 9].map((n) => waitBefore(n, backoff, 0, least)), [50, 100, 200, 1000]);
  assertEquals(waitBefore(1, backoff, 0, () => 0.5), 150);
  assertEquals(waitBefore(0, backoff, 700, least), 700);
  assertEquals(waitBefore(0, backoff, 3_600_000, least), 1000);
});

Deno.test("Retry-After is read as seconds or as a date", () => {
  const now = Date.parse("Wed, 21 Oct 2015 07:28:00 GMT");
  const headers = [
    null,
    "2",
    " 0 ",
    "Wed, 21 Oct 2015 07:28:05 GMT",
    "Wed, 21 Oct 2015 07:27:00 GMT",
  ];
  assertEquals(headers.map((header) => retryAfter(header, now)), [0, 2000, 0, 5000, 0]);
  assertEquals(["-1", "soon", ""].map((header) => retryAfter(header, now)), [0, 0, 0]);
});

Deno.test("a value that comes after the abort is handed over for release", async () => {
  const controller = new AbortController();
  const { promise, resolve } = Promise.withResolvers<string>();
  const late: string[] = [];
  const waiting = untilAborted(promise, controller.signal, (value) => late.push(value));
  controller.abort(new RangeError("enough"));
  await assertRejects(() => waiting, RangeError, "enough");
  assertEquals(late, []);
  resolve("response");
  await promise;
  assertEquals(late, ["response"]);
});

Deno.test("a pause ends at once when it is aborted, before or meanwhile", async () => {
  const controller = new AbortController();
  const waiting = pause(60_000, controller.signal);
  controller.abort(new RangeError("enough"));
  await assertRejects(() => waiting, RangeError, "enough");
  await assertRejects(() => pause(60_000, controller.signal), RangeError, "enough");
});
