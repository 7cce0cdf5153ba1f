import { assert, assertEquals, assertRejects } from "@std/assert";
import { isDirect } from "../../core/checkpoint/direct_response.ts";
import { connect } from "../../core/host/http/connect.ts";
import { createRangeClient } from "../../core/host/http/range_client.ts";
import {
  createRangeRequests,
  type RangeRequestsOptions,
} from "../../core/host/http/range_requests.ts";
import type { Connection } from "../../core/host/http/wire.ts";
import { served } from "../support/served.ts";

const RANGE = { headers: { range: "bytes=0-9" } };

/** A connection that answers each request with the next pieces; null ends it. */
function scripted(pieces: (string | null)[]) {
  const sent: string[] = [];
  let closed = 0;
  const connection: Connection = {
    write(bytes) {
      sent.push(new TextDecoder().decode(bytes));
      return Promise.resolve(bytes.length);
    },
    read(target) {
      const piece = pieces.shift();
      if (piece === undefined || piece === null) return Promise.resolve(null);
      const bytes = new TextEncoder().encode(piece);
      const count = Math.min(bytes.length, target.length);
      target.set(bytes.subarray(0, count));
      if (count < bytes.length) pieces.unshift(piece.slice(count));
      return Promise.resolve(count);
    },
    close: () => void closed++,
  };
  return { connection, sent, closed: () => closed };
}

function clientOn(options: RangeRequestsOptions) {
  return createRangeClient({
    requests: createRangeRequests(options),
    fetch: () => Promise.reject(new Error("not asked by range")),
  });
}

function clientOf(...lines: ReturnType<typeof scripted>[]) {
  const left = [...lines];
  return clientOn({ connect: () => Promise.resolve(left.shift()!.connection) });
}

Deno.test("an answer is read whole, whatever pieces it comes in, with a length or in chunks", async () => {
  const plain =
    "HTTP/1.1 206 Partial Content\r\nContent-Length: 10\r\nX: a\r\nx:  b \r\n\r\n0123456789";
  const chunked = "HTTP/1.1 206 OK\r\nTransfer-Encoding: chunked\r\nx: a\r\nx: b\r\n\r\n" +
    "4;extension=1\r\n0123\r\n6\r\n456789\r\n0\r\nTrailer: t\r\n\r\n";
  for (const answer of [plain, chunked, `HTTP/1.1 103 Early\r\nLink: </a>\r\n\r\n${plain}`]) {
    for (const size of [1, 2, 7, 1000]) {
      const pieces = answer.match(new RegExp(`[^]{1,${size}}`, "g"))!;
      const client = clientOf(scripted([...pieces]));
      const response = await client.fetch("http://example.org/a?b=c", RANGE);
      assertEquals([response.status, response.headers.get("x")], [206, "a, b"]);
      assertEquals(await response.text(), "0123456789");
      client.close();
    }
  }
});

Deno.test("the request names path, query and host, and is sent on the same connection again", async () => {
  const answer = "HTTP/1.1 206 OK\r\nContent-Length: 2\r\n\r\nab";
  const line = scripted([answer, answer]);
  const client = clientOf(line);
  for (let i = 0; i < 2; i++) {
    const response = await client.fetch("http://example.org:81/a%20b?c=d", RANGE);
    assert(isDirect(response));
    const target = new Uint8Array(8);
    assertEquals([await response.readInto(target), await response.readInto(target)], [2, null]);
    assertEquals([...target.subarray(0, 2)], [97, 98]);
  }
  const request = "GET /a%20b?c=d HTTP/1.1\r\nhost: example.org:81\r\nrange: bytes=0-9\r\n\r\n";
  assertEquals(line.sent, [request, request]);
  assertEquals(line.closed(), 0);
  client.close();
  assertEquals(line.closed(), 1);
});

Deno.test("a kept connection that has ended meanwhile is replaced, a fresh one is not", async () => {
  const answer = "HTTP/1.1 206 OK\r\nContent-Length: 2\r\n\r\nab";
  const client = clientOf(scripted([answer, null]), scripted([answer]), scripted([null]));
  assertEquals(await (await client.fetch("http://example.org/", RANGE)).text(), "ab");
  const second = await client.fetch("http://example.org/", RANGE);
  await second.body!.cancel();
  await assertRejects(() => client.fetch("http://example.org/", RANGE), TypeError);
  client.close();
});

Deno.test("what is no answer of HTTP is refused, and the connection is closed", async () => {
  const wrong = [
    "SSH-2.0-OpenSSH\r\n\r\n",
    "HTTP/2 200\r\n\r\n",
    "HTTP/1.1 20 OK\r\n\r\n",
    "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
    "HTTP/1.1 200 OK\r\n folded: x\r\n\r\n",
    "HTTP/1.1 200 OK\r\na b: c\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nab",
    "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Le",
    "HTTP/1.1 101 Switching\r\n\r\n",
    `HTTP/1.1 200 OK\r\nlong: ${"x".repeat(70_000)}\r\n\r\n`,
    "x".repeat(100_000),
  ];
  for (const text of wrong) {
    const line = scripted([text]);
    const client = clientOf(line);
    await assertRejects(() => client.fetch("http://example.org/", RANGE), TypeError);
    assertEquals(line.closed(), 1, text.slice(0, 40));
  }
});

Deno.test("a body that ends early or has a malformed chunk fails, and its connection is not kept", async () => {
  for (
    const body of [
      "Content-Length: 10\r\n\r\nabc",
      "Transfer-Encoding: chunked\r\n\r\n5\r\nab",
      "Transfer-Encoding: chunked\r\n\r\nzz\r\nab",
      "Transfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n0\r\n\r\n",
      "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n",
    ]
  ) {
    const line = scripted([`HTTP/1.1 206 OK\r\n${body}`]);
    const client = clientOf(line);
    const response = await client.fetch("http://example.org/", RANGE);
    await assertRejects(() => response.arrayBuffer());
    assertEquals(line.closed(), 1, body);
  }
});

Deno.test("connections go to the addresses that were checked, and to no other", async () => {
  await served({}, async (server) => {
    const { port } = new URL(server.url);
    const client = clientOn({ connect });
    // The name is nobody's: only the address leads to the server.
    const url = `http://name.invalid:${port}/model.safetensors`;
    const response = await client.fetch(url, { ...RANGE, addresses: ["127.0.0.1"] });
    assertEquals(response.status, 206);
    assertEquals((await response.arrayBuffer()).byteLength, 10);
    assertEquals(server.requests[0]!.get("host"), `name.invalid:${port}`);
    client.close();
  });
});

Deno.test("an aborted request ends its connection, before and within the body", async () => {
  for (const hang of ["header", "body"] as const) {
    await served({ hang: () => hang }, async (server) => {
      const client = clientOn({ connect });
      const signal = AbortSignal.timeout(50);
      await assertRejects(async () => {
        const response = await client.fetch(server.url, { ...RANGE, signal });
        await response.arrayBuffer();
      });
      assert(signal.aborted);
      client.close();
    });
  }
});

Deno.test("memory that other threads see is filled as well, wherever it lies", async () => {
  const body = Array.from({ length: 3000 }, (_, at) => String.fromCharCode(33 + at % 90)).join("");
  for (const offset of [0, 3, 8]) {
    const answer = `HTTP/1.1 206 OK\r\nContent-Length: ${body.length}\r\n\r\n`;
    const client = clientOf(
      scripted([answer + body.slice(0, 100), ...body.slice(100).match(/[^]{1,777}/g)!]),
    );
    const response = await client.fetch("http://example.org/", RANGE);
    assert(isDirect(response));
    const target = new Uint8Array(new SharedArrayBuffer(body.length + offset), offset);
    for (let at = 0; at < body.length;) at += await response.readInto(target.subarray(at)) ?? 0;
    assertEquals(new TextDecoder().decode(target.slice()), body);
    client.close();
  }
});
