import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import type { ByteSource } from "../../../core/checkpoint/byte_source.ts";
import { memorySource } from "../../../core/checkpoint/memory_source.ts";
import { parseRanges, respondWithSource } from "../../../routes/http/byte_ranges.ts";
import { caughtProblem } from "../../support/caught_problem.ts";

const ETAG = '"tag"';
const CONTENT = new Uint8Array(300).map((_, i) => (i * 7) & 0xff);

/** The answer for a content, and how often its source was closed. */
function respond(headers: Record<string, string>, { method = "GET", content = CONTENT } = {}) {
  let closed = 0;
  const source = memorySource(content);
  const counted: ByteSource = {
    ...source,
    close() {
      closed++;
      source.close?.();
    },
  };
  const request = new Request("http://localhost/", { method, headers });
  const run = () =>
    respondWithSource(request, counted, {
      etag: ETAG,
      contentType: "text/plain",
      headers: { "x-extra": "yes" },
    });
  return { run, closed: () => closed };
}

/** One element of a Range header, and which bytes it asks for by the plain reading of RFC 9110, 14.1.2. */
const spec = fc.oneof(
  fc.tuple(fc.nat(400), fc.nat(400)).map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const)
    .map(([first, last]) => ({
      text: `${first}-${last}`,
      asks: (at: number, _length: number) => first <= at && at <= last,
    })),
  fc.nat(400).map((first) => ({ text: `${first}-`, asks: (at: number) => first <= at })),
  fc.nat(400).map((count) => ({
    text: `-${count}`,
    asks: (at: number, length: number) => at >= length - count,
  })),
);

Deno.test("the ranges hold exactly the bytes that are asked for, in order and apart", () => {
  fc.assert(fc.property(
    fc.array(spec, { minLength: 1, maxLength: 16 }),
    fc.nat(300),
    fc.constantFrom(",", ", ", " ,, "),
    (specs, length, separator) => {
      const header = `bytes=${specs.map(({ text }) => text).join(separator)}`;
      const ranges = parseRanges(header, length) ?? [];
      const expected: number[] = [];
      for (let at = 0; at < length; at++) {
        if (specs.some(({ asks }) => asks(at, length))) expected.push(at);
      }
      const found = ranges.flatMap(({ start, end }) =>
        Array.from({ length: end - start }, (_, i) => start + i)
      );
      assertEquals(found, expected);
      for (const [i, { start }] of ranges.entries()) assert(i === 0 || start > ranges[i - 1]!.end);
    },
  ));
});

Deno.test("a header of another unit, a malformed one, or one of too many ranges is ignored", () => {
  const many = (count: number) =>
    `bytes=${Array.from({ length: count }, (_, i) => `${i * 2}-${i * 2}`)}`;
  const ignored = [
    "",
    "bytes",
    "bytes=",
    "bytes=,",
    "bytes=-",
    "bytes=5-4",
    "bytes=0-1,x",
    "bytes=1-2-3",
    "bytes=+1-2",
    "bytes=1.5-2",
    "items=0-1",
    many(17),
  ];
  for (const header of ignored) assertEquals(parseRanges(header, 100), undefined, header);
  assertEquals(parseRanges(many(16), 100)?.length, 16);
  assertEquals(parseRanges("bytes=-0", 100), []);
  assertEquals(parseRanges("bytes=100-", 100), []);
  assertEquals(parseRanges("bytes=0-", 0), []);
  assertEquals(parseRanges(`bytes=5-${"9".repeat(400)}`, 100), [{ start: 5, end: 100 }]);
  assertEquals(parseRanges(`bytes=${"9".repeat(400)}-`, 100), []);
  assertEquals(parseRanges("bytes=5-9,0-4", 100), [{ start: 0, end: 10 }]);
  assertEquals(parseRanges("BYTES = 1-1", 100), [{ start: 1, end: 2 }]);
});

Deno.test("the whole content, with its length and validators", async () => {
  const { run, closed } = respond({});
  const response = run();
  assertEquals(response.status, 200);
  assertEquals(Object.fromEntries(response.headers), {
    "accept-ranges": "bytes",
    "content-length": "300",
    "content-type": "text/plain",
    "etag": ETAG,
    "x-extra": "yes",
  });
  assertEquals([closed(), await response.bytes(), closed()], [0, CONTENT, 1]);
  const empty = respond({}, { content: new Uint8Array() });
  assertEquals([await empty.run().text(), empty.closed()], ["", 1]);
});

Deno.test("HEAD tells the same and opens no body", () => {
  const { run, closed } = respond({ range: "bytes=0-1" }, { method: "HEAD" });
  const response = run();
  assertEquals([response.status, response.body, closed()], [200, null, 1]);
  assertEquals(response.headers.get("content-length"), "300");
});

Deno.test("one range is a part, several are a multipart body of exact length", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(spec, { minLength: 1, maxLength: 5 }), async (specs) => {
      const header = `bytes=${specs.map(({ text }) => text).join(",")}`;
      const ranges = parseRanges(header, 300);
      if (!ranges || ranges.length === 0) return;
      const { run, closed } = respond({ range: header });
      const response = run();
      const body = await response.bytes();
      assertEquals([response.status, closed()], [206, 1]);
      assertEquals(response.headers.get("content-length"), String(body.length));
      const type = response.headers.get("content-type")!;
      if (ranges.length === 1) {
        const { start, end } = ranges[0]!;
        assertEquals(response.headers.get("content-range"), `bytes ${start}-${end - 1}/300`);
        assertEquals([type, body], ["text/plain", CONTENT.slice(start, end)]);
        return;
      }
      const boundary = /^multipart\/byteranges; boundary=([\w-]+)$/.exec(type)?.[1];
      const text = Array.from(body, (byte) => String.fromCharCode(byte)).join("");
      const expected = ranges.map(({ start, end }) =>
        `--${boundary}\r\ncontent-type: text/plain\r\ncontent-range: bytes ${start}-${
          end - 1
        }/300` +
        `\r\n\r\n${String.fromCharCode(...CONTENT.subarray(start, end))}\r\n`
      );
      assertEquals(text, `${expected.join("")}--${boundary}--\r\n`);
      assertEquals(response.headers.get("content-range"), null);
    }),
    { numRuns: 50 },
  );
});

Deno.test("a range outside the content is a problem that tells the length", async () => {
  const { run, closed } = respond({ range: "bytes=300-" });
  const problem = await caughtProblem(run);
  assertEquals([problem.kind, problem.members.length], ["range-not-satisfiable", 300]);
  assertStringIncludes(problem.message, "bytes=300-");
  assertEquals(closed(), 1);
});

Deno.test("preconditions decide before ranges", async () => {
  const range = "bytes=0-9";
  const statuses: readonly [Record<string, string>, number][] = [
    [{ range }, 206],
    [{ range, "if-range": ETAG }, 206],
    [{ range, "if-range": '"other"' }, 200],
    [{ range, "if-range": `W/${ETAG}` }, 200],
    [{ range, "if-range": "Wed, 21 Oct 2015 07:28:00 GMT" }, 200],
    [{ "range": "bytes=900-", "if-range": '"other"' }, 200],
    [{ "if-match": ETAG }, 200],
    [{ "if-match": `"a", ${ETAG}` }, 200],
    [{ "if-match": "*" }, 200],
    [{ range, "if-none-match": ETAG }, 304],
    [{ "if-none-match": `W/"a",W/${ETAG}` }, 304],
    [{ "if-none-match": "*" }, 304],
    [{ "if-none-match": '"a"' }, 200],
  ];
  for (const [headers, status] of statuses) {
    const { run, closed } = respond(headers);
    const response = run();
    assertEquals(response.status, status, JSON.stringify(headers));
    assertEquals(response.headers.get("etag"), ETAG);
    const body = await response.bytes();
    assertEquals([body.length, closed()], [{ 200: 300, 206: 10, 304: 0 }[status], 1]);
  }
  for (const match of ['"a"', `W/${ETAG}`]) {
    const { run, closed } = respond({ range, "if-match": match, "if-none-match": ETAG });
    assertEquals([(await caughtProblem(run)).kind, closed()], ["precondition-failed", 1]);
  }
});

Deno.test("a body is read piece by piece as it is asked for; giving it up closes the source", async () => {
  const reads: [number, number][] = [];
  let closed = 0;
  const source: ByteSource = {
    byteLength: 5 * (1 << 20) + 1,
    slice(start, end) {
      reads.push([start, end]);
      return Promise.resolve(new Uint8Array(end - start));
    },
    close: () => closed++,
  };
  const info = { etag: ETAG, contentType: "text/plain" };
  const response = respondWithSource(new Request("http://localhost/"), source, info);
  await new Promise((resolve) => setTimeout(resolve, 5));
  assertEquals(reads, []);
  const reader = response.body!.getReader();
  assertEquals((await reader.read()).value?.length, 1 << 20);
  assertEquals(reads, [[0, 1 << 20]]);
  await reader.cancel();
  assertEquals([reads.length, closed], [1, 1]);
});

Deno.test("a source that fails breaks the body off and is closed", async () => {
  let closed = 0;
  const source: ByteSource = {
    byteLength: 10,
    slice: () => Promise.reject(new Error("gone")),
    close: () => closed++,
  };
  const info = { etag: ETAG, contentType: "text/plain" };
  const response = respondWithSource(new Request("http://localhost/"), source, info);
  const error = await response.bytes().then(() => undefined, (error) => error);
  assertEquals([String(error), closed], ["Error: gone", 1]);
});
