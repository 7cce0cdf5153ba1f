import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { hostHasher } from "../../core/host/hasher.ts";
import { memoryBlobs } from "../../core/store/memory_blobs.ts";
import { takenInTime } from "../../routes/http/slow_readers.ts";
import { uploadGate } from "../../routes/http/upload_gate.ts";
import { eventually, readUntil, sendRaw } from "../support/raw_connection.ts";
import { testApp, type TestAppOptions } from "../support/service.ts";
import { smallCheckpoint } from "../support/stored_checkpoint.ts";

const LIMITS = { uploadStall: 0.25, uploadRate: 20_000 };

/** Serves an application on a real socket; nothing may be left in its store but what was stored. */
async function served(
  options: TestAppOptions,
  run: (port: number, app: ReturnType<typeof testApp>) => Promise<void>,
): Promise<void> {
  const made = testApp(options);
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, made.app.fetch);
  try {
    await run(server.addr.port, made);
    assertEquals(made.faults, []);
  } finally {
    await server.shutdown();
    await made.close();
  }
}

const head = (length: number) =>
  `POST /checkpoints HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${length}\r\n\r\n`;

Deno.test("an upload that stops, or comes too slowly, is ended with 408", async () => {
  await served({ limits: LIMITS }, async (port) => {
    const bytes = smallCheckpoint(100_000);
    const form = "POST /merge HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000\r\n" +
      "Content-Type: multipart/form-data; boundary=b\r\n\r\n--b\r\n";
    const json = "POST /merge HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000\r\n" +
      "Content-Type: application/json\r\n\r\n{";
    const chunked = "POST /checkpoints HTTP/1.1\r\nHost: localhost\r\n" +
      "Transfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n";
    const stopping = [head(bytes.length), form, json, chunked].map(async (start) => {
      const connection = await sendRaw(port, start);
      const answer = await readUntil(connection, "}");
      connection.close();
      assertStringIncludes(answer, "HTTP/1.1 408");
      assertStringIncludes(answer, "AMALGAM_UPLOAD_STALL");
    });
    // Never a pause as long as the stall time, but only about 2 kB a second.
    const trickling = (async () => {
      const connection = await sendRaw(port, head(bytes.length));
      let sending = true;
      const sent = (async () => {
        for (let at = 0; sending && at < bytes.length; at += 100) {
          await connection.write(bytes.subarray(at, at + 100)).catch(() => sending = false);
          await new Promise((done) => setTimeout(done, 50));
        }
      })();
      const answer = await readUntil(connection, "}");
      sending = false;
      await sent;
      connection.close();
      assertStringIncludes(answer, "HTTP/1.1 408");
      assertStringIncludes(answer, "AMALGAM_UPLOAD_RATE");
    })();
    await Promise.all([...stopping, trickling]);
  });
});

Deno.test("an upload with pauses that is fast enough goes through", async () => {
  await served({ limits: LIMITS }, async (port) => {
    const bytes = smallCheckpoint(100_000);
    const connection = await sendRaw(port, head(bytes.length));
    for (let at = 0; at < bytes.length; at += 20_000) {
      await connection.write(bytes.subarray(at, at + 20_000));
      await new Promise((done) => setTimeout(done, 120));
    }
    assertStringIncludes(await readUntil(connection, "}"), "HTTP/1.1 201");
    connection.close();
  });
});

Deno.test("only so many uploads are received at once; the next one is told to come again", async () => {
  const gate = uploadGate({ uploads: 3, uploadStall: 30, uploadRate: 1 });
  await served({ gate }, async (port) => {
    const bytes = smallCheckpoint(1000);
    const upload = async () => {
      const response = await fetch(`http://127.0.0.1:${port}/checkpoints`, {
        method: "POST",
        body: bytes,
      });
      return { response, text: await response.text() };
    };
    const held = [];
    for (let i = 0; i < 2; i++) held.push(await sendRaw(port, head(bytes.length)));
    assert(await eventually(() => gate.open() === 2));
    assertEquals((await upload()).response.status, 201);
    held.push(await sendRaw(port, head(bytes.length)));
    assert(await eventually(() => gate.open() === 3));
    const { response, text } = await upload();
    assertEquals([response.status, response.headers.get("retry-after")], [429, "1"]);
    assertStringIncludes(text, "at most 3 may be received at once (AMALGAM_MAX_UPLOADS)");
    // Requests without a body need no place.
    const read = await fetch(`http://127.0.0.1:${port}/methods`);
    await read.body?.cancel();
    assertEquals(read.status, 200);
    held.pop()!.close();
    assert(await eventually(() => gate.open() === 2), "a client that went away keeps its place");
    assertEquals((await upload()).response.status, 200);
    for (const connection of held) connection.close();
    assert(await eventually(() => gate.open() === 0));
  });
});

/** Stores a checkpoint that is far larger than what sockets buffer, and counts who reads it. */
async function readers(
  run: (port: number, path: string, open: () => number) => Promise<void>,
): Promise<void> {
  const blobs = memoryBlobs({ makeHasher: hostHasher });
  await served(
    { blobs, limits: { readerStall: 0.4, readerRate: 20_000_000 } },
    async (port, { app, ports }) => {
      const stored = await app.request("/checkpoints", {
        method: "POST",
        body: smallCheckpoint(48 << 20),
      });
      const { id } = await stored.json();
      const path = `/checkpoints/${id}`;
      await run(port, path, () => ports.leases.inUse(id) ? 1 : 0);
    },
  );
}

const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`;

Deno.test("a client that never reads holds the file only so long", async () => {
  await readers(async (port, path, open) => {
    const connection = await sendRaw(port, get(path));
    assert(await eventually(() => open() === 1));
    assert(await eventually(() => open() === 0), "the file is still held");
    connection.close();
  });
});

Deno.test("a client that reads a byte at a time holds the file only so long, and its answer breaks off", async () => {
  await readers(async (port, path, open) => {
    const connection = await sendRaw(port, get(path));
    const one = new Uint8Array(1);
    assert(await eventually(() => open() === 1));
    const free = await eventually(async () => {
      await connection.read(one);
      return open() === 0;
    });
    assert(free, "the file is still held");
    // What was on the way comes; then the connection ends without the rest.
    let bytes = 0;
    const buffer = new Uint8Array(1 << 20);
    for (;;) {
      const count = await connection.read(buffer).catch(() => null);
      if (count === null) break;
      bytes += count;
    }
    assert(bytes < 48 << 20, `all ${bytes} bytes came`);
    connection.close();
  });
});

Deno.test("a client that goes away frees the file at once", async () => {
  await readers(async (port, path, open) => {
    const connection = await sendRaw(port, get(path));
    assert(await eventually(() => open() === 1));
    await connection.read(new Uint8Array(1000));
    const left = performance.now();
    connection.close();
    assert(await eventually(() => open() === 0));
    assert(performance.now() - left < 350, "it took the time of a stalled reader");
  });
});

Deno.test("takenInTime() hands over every byte to a reader that pauses less than it may", async () => {
  const pieces = [5, 3, 8].map((length) => new Uint8Array(length).fill(length));
  let cancelled: unknown;
  const body = () =>
    new ReadableStream<Uint8Array<ArrayBuffer>>({
      start(controller) {
        for (const piece of pieces) controller.enqueue(piece);
        controller.close();
      },
      cancel: (reason) => void (cancelled = reason),
    });
  const lengths: number[] = [];
  for await (const piece of takenInTime(body(), { stall_ms: 200, rate: 1e6 })) {
    lengths.push(piece.length);
    await new Promise((done) => setTimeout(done, 20));
  }
  assertEquals([lengths, cancelled], [[5, 3, 8], undefined]);
  // A large piece has the time that the rate gives it: 8 bytes at 20 bytes a second take 400 ms.
  const slow = takenInTime(body(), { stall_ms: 10, rate: 20 }).getReader();
  await slow.read();
  await new Promise((done) => setTimeout(done, 100));
  assertEquals((await slow.read()).value?.length, 3);
  await slow.cancel("gone");
  assertEquals(cancelled, "gone");
});

Deno.test("takenInTime() ends a small piece in its own time, though the one before it had more", async () => {
  let cancelled: unknown;
  // The first piece may wait for 10 s, the second for 20 ms.
  const pieces = [new Uint8Array(1000), new Uint8Array(1)];
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull: (controller) => controller.enqueue(pieces.shift() ?? new Uint8Array(1)),
    cancel: (reason) => void (cancelled = reason),
  }, { highWaterMark: 0 });
  const reader = takenInTime(body, { stall_ms: 20, rate: 100 }).getReader();
  assertEquals((await reader.read()).value?.length, 1000);
  assertEquals((await reader.read()).value?.length, 1);
  // Nobody asks for a third.
  await reader.closed.catch(() => {});
  assertStringIncludes(String(cancelled), "AMALGAM_READER_STALL");
});

Deno.test("takenInTime() asks nothing of a reader while the source has nothing for it, and passes its failure on", async () => {
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller) {
      await new Promise((done) => setTimeout(done, 60));
      controller.error(new Error("the disk is gone"));
    },
    start: (controller) => controller.enqueue(new Uint8Array(3)),
  }, { highWaterMark: 0 });
  const reader = takenInTime(body, { stall_ms: 20, rate: 1e6 }).getReader();
  assertEquals((await reader.read()).value?.length, 3);
  await assertRejects(() => reader.read(), Error, "the disk is gone");
});
