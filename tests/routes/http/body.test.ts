import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { readText } from "../../../routes/http/body.ts";
import { caughtProblem } from "../../support/caught_problem.ts";

const OPTIONS = { maximum: 100, mediaTypes: ["application/json", "application/yaml"] };

function request(chunks: (string | number[])[], headers: HeadersInit = {}): Request {
  const encoder = new TextEncoder();
  const bytes = chunks.map((chunk) =>
    typeof chunk === "string" ? encoder.encode(chunk) : new Uint8Array(chunk)
  );
  return new Request("http://localhost/", {
    method: "POST",
    body: ReadableStream.from(bytes),
    headers: { "content-type": "application/json", ...headers },
  });
}

Deno.test("readText() reads UTF-8 that is cut inside a character, without its byte order mark", async () => {
  assertEquals(await readText(request([[0xef, 0xbb, 0xbf, 0xc3], [0xbc], "x"]), OPTIONS), "üx");
  assertEquals(await readText(request([]), OPTIONS), "");
});

Deno.test("readText() reads exactly the limit, and no byte more", async () => {
  const text = "x".repeat(100);
  assertEquals(await readText(request([text]), OPTIONS), text);
  const problem = await caughtProblem(() => readText(request([text, "y"]), OPTIONS));
  assertEquals([problem.kind, problem.members.limit], ["too-large", 100]);
  // A length that is announced is refused before anything is read.
  const announced = request(["x"], { "content-length": "101" });
  const early = await caughtProblem(() => readText(announced, OPTIONS));
  assertStringIncludes(early.message, "current value is 101");
});

Deno.test("readText() accepts the names that JSON and YAML go by, and no others", async () => {
  const known = [
    "application/json; charset=utf-8",
    "Application/JSON",
    "application/ld+json",
    "text/yaml",
    "application/x-yaml",
    'application/yaml;charset="UTF-8"',
  ];
  for (const type of known) {
    assertEquals(await readText(request(["{}"], { "content-type": type }), OPTIONS), "{}");
  }
  const others = [
    "text/plain",
    "application/jsonx",
    "json",
    "application/json; charset=latin1",
    "application/json; charset",
  ];
  for (const type of others) {
    const problem = await caughtProblem(() =>
      readText(request(["{}"], { "content-type": type }), OPTIONS)
    );
    assertEquals(problem.kind, "unsupported-media-type", type);
  }
  const gzip = request(["x"], { "content-encoding": "gzip" });
  const problem = await caughtProblem(() => readText(gzip, OPTIONS));
  assertEquals([problem.kind, problem.members.accepted], [
    "unsupported-media-type",
    OPTIONS.mediaTypes,
  ]);
});

Deno.test("readText() refuses what is not UTF-8 and what breaks off", async () => {
  for (const chunks of [["ok", [0xff]], ["ok", [0xc3]], [[0xed, 0xa0, 0x80]]]) {
    const problem = await caughtProblem(() => readText(request(chunks), OPTIONS));
    assertEquals(problem.kind, "invalid-request");
    assertStringIncludes(problem.message, "must be UTF-8");
  }
  const short = request(["abc"], { "content-length": "5" });
  const problem = await caughtProblem(() => readText(short, OPTIONS));
  assertEquals([problem.kind, problem.members.bytes], ["invalid-request", 3]);
});

Deno.test("readText() ends with the signal though nothing comes", async () => {
  const controller = new AbortController();
  const stalled = new Request("http://localhost/", {
    method: "POST",
    body: new ReadableStream(),
    headers: { "content-type": "application/json" },
  });
  const reason = new Error("stop");
  setTimeout(() => controller.abort(reason), 5);
  const reading = readText(stalled, { ...OPTIONS, signal: controller.signal });
  assertEquals(await assertRejects(() => reading), reason);
});
