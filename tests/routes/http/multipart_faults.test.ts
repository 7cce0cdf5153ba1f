import { assertEquals, assertStringIncludes } from "@std/assert";
import type { MultipartLimits } from "../../../routes/http/multipart.ts";
import { caughtProblem } from "../../support/caught_problem.ts";
import {
  fieldHeader,
  fileHeader,
  multipartBody,
  multipartRequest,
  takeParts,
} from "../../support/multipart_body.ts";

/** A request of one part with these header lines and this content. */
function onePart(header: string, content = "x"): Request {
  return multipartRequest("b", [multipartBody("b", [{ header, content }])]);
}

function withHeaders(headers: HeadersInit): Request {
  return new Request("http://localhost/", { method: "POST", body: "--b--", headers });
}

const FILES = ["a", "c", "d"].map((name) => ({ header: fileHeader(name), content: "123" }));

const FAULTS: [string, () => Request, Partial<MultipartLimits>, string, string][] = [
  ["no type", () => withHeaders({}), {}, "unsupported-media-type", "text/plain"],
  [
    "another type",
    () => withHeaders({ "content-type": "multipart/mixed; boundary=b" }),
    {},
    "unsupported-media-type",
    "must be multipart/form-data: current value is multipart/mixed",
  ],
  [
    "a compressed body",
    () =>
      withHeaders({
        "content-type": "multipart/form-data; boundary=b",
        "content-encoding": "gzip",
      }),
    {},
    "unsupported-media-type",
    "gzip",
  ],
  [
    "no boundary",
    () => withHeaders({ "content-type": "multipart/form-data" }),
    {},
    "invalid-request",
    "none",
  ],
  ["an empty boundary", () => multipartRequest('""', []), {}, "invalid-request", "1 to 70"],
  ["a long boundary", () => multipartRequest("b".repeat(71), []), {}, "invalid-request", "1 to 70"],
  ["no body", () => multipartRequest("b", []), {}, "invalid-request", "The body ended"],
  [
    "too many parts",
    () => multipartRequest("b", [multipartBody("b", FILES)]),
    { parts: 2 },
    "too-large",
    "at most 2 parts (AMALGAM_MAX_PARTS): current value is more than 2",
  ],
  [
    "a long header",
    () => onePart(`${fileHeader("a")}\r\nX: ${"x".repeat(200)}`),
    { headerBytes: 200 },
    "too-large",
    "the header of a part as it must have at most 200 bytes",
  ],
  [
    "a header without end",
    () => multipartRequest("b", Array(300).fill(new TextEncoder().encode("--b\r\nx"))),
    { headerBytes: 1000 },
    "too-large",
    "at most 1000 bytes",
  ],
  [
    "a long field",
    () => onePart(fieldHeader("recipe"), "x".repeat(101)),
    { fieldBytes: 100 },
    "too-large",
    'part "recipe" as it must have at most 100 bytes',
  ],
  [
    "a long body",
    () => multipartRequest("b", [multipartBody("b", FILES)]),
    { maximumBytes: 50 },
    "too-large",
    "the body as it must have at most 50 bytes",
  ],
  [
    "a repeated name",
    () => multipartRequest("b", [multipartBody("b", [...FILES, FILES[0]!])]),
    {},
    "invalid-request",
    'current value is "a" twice',
  ],
  ["no disposition", () => onePart("Content-Type: text/plain"), {}, "invalid-request", "is none"],
  [
    "another disposition",
    () => onePart('Content-Disposition: attachment; name="a"'),
    {},
    "invalid-request",
    "attachment",
  ],
  [
    "no name",
    () => onePart("Content-Disposition: form-data"),
    {},
    "invalid-request",
    "with a name",
  ],
  ["an empty name", () => onePart(fieldHeader("")), {}, "invalid-request", "with a name"],
  [
    "two names",
    () => onePart(`${fieldHeader("a")}; name="c"`),
    {},
    "invalid-request",
    "with a name",
  ],
  [
    "a repeated line",
    () => onePart(`${fieldHeader("a")}\r\n${fieldHeader("c")}`),
    {},
    "invalid-request",
    "must not be repeated",
  ],
  [
    "a folded line",
    () => onePart(`${fieldHeader("a")}\r\n more`),
    {},
    "invalid-request",
    "name: value",
  ],
  [
    "a bare line feed",
    () => onePart(`${fieldHeader("a")}\nX: y`),
    {},
    "invalid-request",
    "name: value",
  ],
  [
    "another charset",
    () => onePart(`${fieldHeader("a")}\r\nContent-Type: text/plain; charset=latin1`),
    {},
    "unsupported-media-type",
    "latin1",
  ],
  [
    "a long epilogue",
    () => multipartRequest("b", [multipartBody("b", []), new Uint8Array(70_000)]),
    {},
    "invalid-request",
    "must end with its closing boundary",
  ],
];

for (const [what, request, limits, kind, text] of FAULTS) {
  Deno.test(`readMultipart() refuses ${what}`, async () => {
    const problem = await caughtProblem(() => takeParts(request(), limits));
    assertEquals(problem.kind, kind, problem.message);
    assertStringIncludes(problem.message, text);
  });
}

Deno.test("readMultipart() refuses a field that is not UTF-8, also one that ends inside a character", async () => {
  for (const bytes of [[0xff, 65], [65, 0xc3]]) {
    const [before, after] = [`--b\r\n${fieldHeader("a")}\r\n\r\n`, "\r\n--b--"].map((text) =>
      new TextEncoder().encode(text)
    );
    const request = multipartRequest("b", [before!, new Uint8Array(bytes), after!]);
    const problem = await caughtProblem(() => takeParts(request));
    assertEquals(problem.kind, "invalid-request");
    assertStringIncludes(problem.message, 'Cannot read part "a" as it must be UTF-8');
  }
});
