/**
 * Hostile addresses: of sources, and of the service itself with any header fields.
 *
 * @module
 */
import fc from "fast-check";
import { SPELLINGS } from "../../sources/ssrf_spellings.ts";
import { type HostileInput, type Inputs, NAMES, posted } from "./hostile_input.ts";

const RECIPE = {
  merge_method: "linear",
  models: [{ model: "a" }, { model: "b" }],
  parameters: { weight: 1 },
};

/** Hosts that must not be reached, and texts that are no address. */
const hosts = Object.values(SPELLINGS).flat();
const address = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.tuple(
      fc.constantFrom(
        "http",
        "https",
        "HTTP",
        "ftp",
        "file",
        "data",
        "blob",
        "javascript",
        "gopher",
        "ws",
        "",
      ),
      fc.constantFrom("", "", "user:pass@", "user@", "127.0.0.1@", "example.org#@", "a%40b@"),
      fc.constantFrom(
        ...hosts,
        "example.org",
        "xn--nxasmq6b",
        "a".repeat(300),
        "-",
        "..",
        "[::1]",
        "[::ffff:7f00:1]",
      ),
      fc.constantFrom("", "", ":80", ":0", ":65536", ":99999999999", ":-1", ":0x50"),
      fc.constantFrom(
        "/",
        "/m.safetensors",
        "/../../x",
        "//evil",
        "/?a=b#c",
        "\\x",
        "/%00",
        "/%2e%2e/",
      ),
    ).map(([scheme, user, host, port, path]) =>
      /^[a-z]+:/i.test(host) ? host : `${scheme}://${user}${host}${port}${path}`
    ),
  },
  { weight: 1, arbitrary: fc.webUrl() },
  { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 60 }) },
  { weight: 1, arbitrary: fc.constantFrom(...NAMES) },
);
const source: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 4, arbitrary: address.map((url) => ({ url })) },
  {
    weight: 1,
    arbitrary: fc.tuple(
      address,
      fc.dictionary(
        fc.constantFrom("host", "range", "a b", "x\n", "cookie", ...NAMES),
        fc.string({ unit: "binary" }),
      ),
    ).map(([url, headers]) => ({ url, headers })),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(
      fc.oneof(fc.constantFrom("o/n", "../..", "o/n/x", "/", "o/..", ...NAMES), fc.string()),
      fc.option(fc.constantFrom(...NAMES, "main", "../x", "a?b#c"), { nil: undefined }),
      fc.option(fc.constantFrom(...NAMES, "../../x", "//h/x", "http://127.0.0.1/x"), {
        nil: undefined,
      }),
    ).map(([hub, revision, file]) => ({ hub, revision, file })),
  },
  {
    weight: 1,
    arbitrary: fc.oneof(fc.constantFrom(...NAMES, "/etc/passwd", "a/../../b", "C:\\x"), fc.string())
      .map((path) => ({ path })),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      ...NAMES,
      `sha256:${"0".repeat(64)}`,
      `sha256:${"F".repeat(64)}`,
      "sha256:../..",
    ).map((checkpoint) => ({ checkpoint })),
  },
);
/** Sources of recipes that lead where they must not. */
export const sourceInputs: Inputs = fc.tuple(
  source,
  source,
  fc.constantFrom("/plan", "/merge", "/task-vectors"),
).map(
  ([a, b, path]) => {
    const document = path === "/task-vectors"
      ? { base: "a", model: "b", sources: { a, b } }
      : { ...RECIPE, sources: { a, b } };
    return posted(path, "application/json", JSON.stringify(document));
  },
);

const VALUES = fc.oneof(
  fc.constantFrom(
    "bytes=0-",
    "bytes=-1",
    "bytes=5-2",
    `bytes=${"0-1,".repeat(2000)}0-1`,
    "bytes=0-99999999999999999999",
    "items=0-1",
    'W/"x"',
    "*",
    '"',
    "respond-async, wait=-1",
    "respond-async",
    "sha-256=:AAAA:",
    "sha-256=x",
    "Bearer " + "x".repeat(3000),
    "application/json;q=9",
    "text/event-stream",
    "*/*;q=".repeat(500),
    "1e9",
    "-5",
  ),
  fc.string({ unit: fc.constantFrom(...'abc09=,;:-"*/ ()[]\\'), maxLength: 60 }),
);
const FIELDS = [
  "range",
  "if-range",
  "if-none-match",
  "prefer",
  "idempotency-key",
  "repr-digest",
  "authorization",
  "accept",
  "last-event-id",
  "content-length",
  "content-encoding",
  "x-request-id",
  "traceparent",
  "origin",
  "host",
];
const PATHS = [
  "/",
  "/methods",
  "/methods/",
  "/checkpoints",
  "/checkpoints/",
  "/jobs/",
  "/jobs",
  "/merges/x/report",
  "/problems/",
  "/healthz",
  "/openapi.json",
  "/docs",
  "/merge",
  "/tune",
  "/checkpoints/sha256:x/tensors",
  `/checkpoints/sha256:${"0".repeat(64)}`,
];
/** Requests to any address with any method and header fields. */
export const addressInputs: Inputs = fc.record({
  method: fc.constantFrom(
    "GET",
    "GET",
    "HEAD",
    "POST",
    "PUT",
    "DELETE",
    "PATCH",
    "OPTIONS",
    "PROPFIND",
  ),
  path: fc.constantFrom(...PATHS),
  rest: fc.oneof(
    fc.constant(""),
    fc.constantFrom(...NAMES).map(encoded),
    fc.constantFrom(
      "?limit=-1",
      "?limit=1e9",
      "?after=x",
      "?limit=",
      "?%",
      "/%E0%A4%A",
      "/%ff",
      "/..%2f..",
      "//",
      "?a=" + "b".repeat(9000),
    ),
    fc.webPath(),
  ),
  headers: fc.dictionary(fc.constantFrom(...FIELDS), VALUES, { maxKeys: 4 }),
  body: fc.uint8Array({ maxLength: 40 }),
}).map(({ method, path, rest, headers, body }): HostileInput => ({
  method,
  path: path + rest,
  headers,
  ...(method === "GET" || method === "HEAD" ? {} : { body: new Uint8Array(body) }),
}));

function encoded(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}
