import { assert, assertEquals, assertLessOrEqual, assertRejects } from "@std/assert";
import { readMultipart } from "../../../routes/http/multipart.ts";
import { caughtProblem } from "../../support/caught_problem.ts";
import {
  cutAt,
  fieldHeader,
  fileHeader,
  multipartBody,
  multipartRequest,
  takeParts,
} from "../../support/multipart_body.ts";

const LIMITS = { maximumBytes: 1 << 20 };
const BODY = multipartBody("b", [
  { header: fileHeader("first"), content: "x".repeat(1000) },
  { header: fieldHeader("second"), content: "y" },
]);

/** A body of one unfinished file, that never ends; tells how much was taken, and whether it was cancelled. */
function endless(chunkBytes: number) {
  const seen = { chunks: 0, cancelled: false };
  const stream = new ReadableStream<Uint8Array>({
    pull(controller) {
      const head = new TextEncoder().encode(`--b\r\n${fileHeader("first")}\r\n\r\n`);
      controller.enqueue(seen.chunks++ === 0 ? head : new Uint8Array(chunkBytes));
    },
    cancel: () => void (seen.cancelled = true),
  }, { highWaterMark: 0 });
  return { seen, request: multipartRequest("b", stream) };
}

Deno.test("readMultipart() reads the body no faster than the file is taken", async () => {
  const { seen, request } = endless(1000);
  const taken: number[] = [];
  const stop = new Error("enough");
  const error = await assertRejects(() =>
    readMultipart(request, {
      limits: LIMITS,
      onField() {},
      async onFile(_part, chunks) {
        let files = 0;
        for await (const _ of chunks) {
          await new Promise((resolve) => setTimeout(resolve, 2));
          taken.push(seen.chunks - ++files);
          if (files === 10) throw stop;
        }
      },
    })
  );
  assertEquals(error, stop);
  for (const ahead of taken) assertLessOrEqual(ahead, 2);
  assertEquals(seen.cancelled, true);
});

Deno.test("A body that ends early is refused, and the file's chunks throw, wherever it ends", async () => {
  for (let length = 0; length < BODY.length - "--\r\n".length; length++) {
    let fileFailed = false;
    let fileDone = false;
    const problem = await caughtProblem(() =>
      readMultipart(multipartRequest("b", cutAt(BODY.subarray(0, length), [500])), {
        limits: LIMITS,
        onField() {},
        async onFile(_part, chunks) {
          try {
            for await (const _ of chunks);
            fileDone = true;
          } catch (error) {
            fileFailed = true;
            throw error;
          }
        },
      })
    );
    assertEquals([problem.kind, problem.members.bytes], ["invalid-request", length]);
    assert(problem.message.startsWith("The body ended "), problem.message);
    const headEnd = `--b\r\n${fileHeader("first")}\r\n\r\n`.length;
    // The file is whole once the line that follows it is.
    const fileEnd = headEnd + 1000 + "\r\n--b\r\n".length;
    assertEquals([fileFailed, fileDone], [
      length >= headEnd && length < fileEnd,
      length >= fileEnd,
    ]);
  }
});

Deno.test("A connection that breaks is a malformed request", async () => {
  const broken = new ReadableStream<Uint8Array>({
    pull(controller) {
      controller.enqueue(BODY.subarray(0, 300));
      controller.error(new TypeError("connection reset"));
    },
  });
  const problem = await caughtProblem(() => takeParts(multipartRequest("b", broken)));
  assertEquals(problem.kind, "invalid-request");
});

Deno.test("The signal ends the reading though the client sends nothing", async () => {
  let cancelled = false;
  const silent = new ReadableStream<Uint8Array>({ cancel: () => void (cancelled = true) });
  const controller = new AbortController();
  const reason = new Error("stop");
  const reading = readMultipart(multipartRequest("b", silent), {
    limits: LIMITS,
    signal: controller.signal,
    onField() {},
    onFile: () => Promise.resolve(),
  });
  setTimeout(() => controller.abort(reason), 5);
  assertEquals(await assertRejects(() => reading), reason);
  assertEquals(cancelled, true);
});

Deno.test("A read that a failing callback left behind is ended", async () => {
  let cancelled = false;
  const head = new TextEncoder().encode(`--b\r\n${fileHeader("first")}\r\n\r\nabc`);
  const stalled = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(head),
    cancel: () => void (cancelled = true),
  });
  const failure = new Error("disk full");
  const left: Promise<unknown>[] = [];
  const error = await assertRejects(() =>
    readMultipart(multipartRequest("b", stalled), {
      limits: LIMITS,
      onField() {},
      async onFile(_part, chunks) {
        const iterator = chunks[Symbol.asyncIterator]();
        await iterator.next();
        left.push(iterator.next().catch(() => {}));
        await Promise.resolve();
        throw failure;
      },
    })
  );
  assertEquals(error, failure);
  await Promise.all(left);
  assertEquals(cancelled, true);
});

Deno.test("What a callback leaves of a file is skipped, and its chunks are at their end", async () => {
  const names: string[] = [];
  let late: AsyncIterable<Uint8Array> | undefined;
  await readMultipart(multipartRequest("b", cutAt(BODY, [200, 400, 600])), {
    limits: LIMITS,
    async onField(name) {
      names.push(name);
      for await (const _ of late ?? []) names.push("late");
    },
    async onFile({ name }, chunks) {
      names.push(name);
      late = chunks;
      for await (const _ of chunks) break;
    },
  });
  assertEquals(names, ["first", "second"]);
});

Deno.test("An upload over a connection that the client closes is refused", async () => {
  const { promise, resolve } = Promise.withResolvers<unknown>();
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, async (request) => {
    resolve(await takeParts(request).catch((error) => error));
    return new Response();
  });
  const connection = await Deno.connect({ port: server.addr.port, hostname: "127.0.0.1" });
  const head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data; boundary=b\r\n" +
    `Content-Length: ${BODY.length}\r\n\r\n`;
  await connection.write(new TextEncoder().encode(head));
  await connection.write(BODY.subarray(0, 500));
  connection.close();
  const problem = await caughtProblem(async () => {
    throw await promise;
  });
  assertEquals(problem.kind, "invalid-request");
  await server.shutdown();
});
