import { assert, assertEquals } from "@std/assert";
import type { Bytes } from "../../core/checkpoint/byte_source.ts";
import { freeSent } from "../../core/host/sent_memory.ts";
import { giveAway } from "../../core/stream/given_bytes.ts";
import { sendRaw } from "../support/raw_connection.ts";

const PIECE = 300_000;
const piece = (at: number): Bytes =>
  new Uint8Array(PIECE).map((_, i) => (i * 31 + (i >> 8) + at) & 0xff);

/** An answer in pieces that are given away, and the pieces. */
function answer(count: number, headers: Record<string, string> = {}) {
  const made: Bytes[] = [];
  let cancelled = 0;
  const body = new ReadableStream<Bytes>({
    pull(stream) {
      if (made.length === count) return stream.close();
      made.push(piece(made.length));
      stream.enqueue(giveAway(made.at(-1)!));
    },
    cancel: () => void cancelled++,
  }, { highWaterMark: 0 });
  const length = { "content-length": String(count * PIECE) };
  return {
    response: new Response(body, { status: 206, headers: { ...length, ...headers } }),
    made,
    cancelled: () => cancelled,
  };
}

Deno.test("a piece is freed when the next one is asked for, and the last one when the answer is given up", async () => {
  const { response, made, cancelled } = answer(3, { "x-a": "1" });
  const freed = freeSent(response);
  assertEquals([freed.status, freed.headers.get("x-a")], [206, "1"]);
  const reader = freed.body!.getReader();
  for (let at = 0; at < 2; at++) assertEquals((await reader.read()).value, piece(at));
  assertEquals(made.map(({ byteLength }) => byteLength), [0, PIECE]);
  await reader.cancel();
  assertEquals([made.map(({ byteLength }) => byteLength), cancelled()], [[0, 0], 1]);
});

Deno.test("answers without a length, or without a body, stay as they are", () => {
  for (const response of [new Response("text"), new Response(null, { status: 204 })]) {
    assert(freeSent(response) === response);
  }
});

Deno.test("the server's clients get every byte, however slowly they read", async () => {
  const count = 60;
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    () => freeSent(answer(count).response),
  );
  const expected = Array.from({ length: count }, (_, at) => piece(at));
  const read = async (pause: () => Promise<void> | void) => {
    const connection = await sendRaw(server.addr.port, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    const buffer = new Uint8Array(100_000);
    let text = "";
    let seen = 0;
    while (seen < count * PIECE) {
      const size = await connection.read(buffer);
      assert(size !== null);
      let at = 0;
      if (!text.includes("\r\n\r\n")) {
        text = new TextDecoder("latin1").decode(buffer.subarray(0, size));
        at = text.indexOf("\r\n\r\n") + 4;
      }
      for (; at < size; at++, seen++) {
        if (buffer[at] !== expected[Math.floor(seen / PIECE)]![seen % PIECE]) {
          throw new Error(`Byte ${seen} is wrong`);
        }
      }
      await pause();
    }
    connection.close();
  };
  await Promise.all([
    read(() => {}),
    read(() => new Promise((go) => setTimeout(go, 5))),
    // What was freed is written to again by others meanwhile.
    read(() => void new Uint8Array(PIECE).fill(1)),
  ]);
  await server.shutdown();
});
