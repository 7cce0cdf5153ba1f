import { assertEquals, assertRejects } from "@std/assert";
import { type SentAnswer, watchAnswer } from "../../../routes/http/sent_answer.ts";

const signal = new AbortController().signal;

/** Watches an answer; what was told of it comes into a list. */
async function watched(response: Response, method = "GET", ends = signal) {
  const told: SentAnswer[] = [];
  const answer = await watchAnswer(response, method, ends, (sent) => told.push(sent));
  return { answer, told };
}

function streamed(pieces: number, end?: Error): Response {
  let left = end ? pieces - 1 : pieces;
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull(stream) {
      if (left-- > 0) stream.enqueue(new Uint8Array(10));
      else if (end) stream.error(end);
      else stream.close();
    },
  });
  return new Response(body, { headers: { "content-length": String(10 * pieces) } });
}

Deno.test("a short text is told before it is sent, whole, with its status and header fields", async () => {
  const given = new Response("short", { status: 418, headers: { "x-a": "1" } });
  const { answer, told } = await watched(given);
  assertEquals(told.map(({ bytes, aborted }) => [bytes, aborted]), [[5, false]]);
  assertEquals([answer.status, answer.headers.get("x-a")], [418, "1"]);
  assertEquals(await answer.text(), "short");
});

Deno.test("answers without a body are told with no bytes", async () => {
  for (
    const [response, method] of [
      [new Response(null, { status: 204 }), "DELETE"],
      [new Response(null, { headers: { "content-length": "99" } }), "HEAD"],
      [new Response(null, { status: 202 }), "POST"],
      [Response.redirect("http://localhost/"), "GET"],
    ] as const
  ) {
    const { answer, told } = await watched(response, method);
    assertEquals(told.map(({ bytes, aborted }) => [bytes, aborted]), [[0, false]]);
    assertEquals(answer.status, response.status);
  }
});

Deno.test("a stream is told once: when it is through, fails, is given up, or its client is gone", async () => {
  const through = await watched(streamed(3));
  assertEquals(through.told, []);
  assertEquals((await through.answer.bytes()).length, 30);
  assertEquals(through.told, [{ bytes: 30, aborted: false }]);

  const failing = await watched(streamed(3, new Error("x")));
  await assertRejects(() => failing.answer.bytes());
  assertEquals(failing.told, [{ bytes: 20, aborted: true }]);

  // As a server does once it has sent what was announced.
  const whole = await watched(streamed(3));
  const taker = whole.answer.body!.getReader();
  for (let piece = 0; piece < 3; piece++) await taker.read();
  await taker.cancel();
  assertEquals(whole.told, [{ bytes: 30, aborted: false }]);

  const given = await watched(streamed(3));
  const reader = given.answer.body!.getReader();
  await reader.read();
  await reader.cancel();
  assertEquals(given.told, [{ bytes: 10, aborted: true }]);

  const gone = new AbortController();
  const never = await watched(streamed(3), "GET", gone.signal);
  gone.abort();
  gone.abort();
  assertEquals(never.told, [{ bytes: 0, aborted: true }]);
  await never.answer.body!.cancel();
  assertEquals(never.told.length, 1);
});

Deno.test("a text that fails is told as given up, and fails", async () => {
  const body = new ReadableStream({ pull: (stream) => stream.error(new Error("x")) });
  const told: SentAnswer[] = [];
  await assertRejects(() =>
    watchAnswer(new Response(body), "GET", signal, (sent) => told.push(sent))
  );
  assertEquals(told, [{ bytes: 0, aborted: true }]);
});
