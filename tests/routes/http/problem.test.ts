import { assert, assertEquals, assertFalse, assertMatch } from "@std/assert";
import { HTTPException } from "hono/http-exception";
import { Problem, type ProblemKind, PROBLEMS } from "../../../core/problem.ts";
import { problemResponse } from "../../../routes/http/problem.ts";

const CONTEXT = {
  instance: "/merge",
  method: "POST",
  log: () => {
    throw new Error("This failure is nothing to log");
  },
};

Deno.test("A problem becomes a document with its members", async () => {
  const problem = new Problem("mismatch", "The shapes differ", {
    tensor: "w",
    bytes: 2n ** 60n,
    errors: [{ path: "a", message: "b" }],
    title: "another",
    type: "another",
  });
  const response = problemResponse(problem, CONTEXT);
  assertEquals(response.status, 422);
  assertEquals(response.headers.get("content-type"), "application/problem+json");
  assertEquals(await response.json(), {
    type: "/problems/mismatch",
    title: PROBLEMS.mismatch.title,
    status: 422,
    detail: "The shapes differ",
    instance: "/merge",
    tensor: "w",
    bytes: String(2n ** 60n),
    errors: [{ path: "a", message: "b" }],
  });
});

Deno.test("Some members become headers, and one the status", async () => {
  const cases: [ProblemKind, Record<string, unknown>, number, Record<string, string>][] = [
    ["upstream", { status: 504, host: "a" }, 504, {}],
    ["upstream", { status: 200 }, 502, {}],
    ["upstream", { status: "504" }, 502, {}],
    ["too-many", { retry_after: 1.5 }, 429, { "retry-after": "2" }],
    ["method-not-allowed", { allow: ["GET", "HEAD"] }, 405, { allow: "GET, HEAD" }],
    ["unauthorized", {}, 401, { "www-authenticate": 'Bearer realm="amalgam"' }],
    ["range-not-satisfiable", { length: 10 }, 416, { "content-range": "bytes */10" }],
    ["unsupported-media-type", { accepted: ["a/b", "c/d"] }, 415, {
      "accept": "a/b, c/d",
      "accept-post": "a/b, c/d",
    }],
  ];
  for (const [kind, members, status, headers] of cases) {
    const response = problemResponse(new Problem(kind, "x", members), CONTEXT);
    assertEquals([response.status, (await response.json()).status], [status, status]);
    for (const [name, value] of Object.entries(headers)) {
      assertEquals(response.headers.get(name), value);
    }
  }
});

Deno.test("An answer to HEAD has the headers and no body", async () => {
  const response = problemResponse(new Problem("not-found", "x"), { ...CONTEXT, method: "HEAD" });
  assertEquals([response.status, await response.text()], [404, ""]);
  assertEquals(response.headers.get("content-type"), "application/problem+json");
});

Deno.test("Foreseen errors of other classes are the request's fault", async () => {
  const cases: [unknown, number, string][] = [
    [new HTTPException(404), 404, "not-found"],
    [new HTTPException(403), 403, "forbidden"],
    [new HTTPException(409), 409, "conflict"],
    [new HTTPException(413), 413, "too-large"],
    [new HTTPException(422, { message: "no" }), 422, "invalid-request"],
    [new HTTPException(400, { message: "Malformed JSON in request body" }), 400, "invalid-request"],
    [new HTTPException(418), 418, "invalid-request"],
    [new HTTPException(503), 503, "unavailable"],
    [jsonError(), 400, "invalid-request"],
    [new URIError("URI malformed"), 400, "invalid-request"],
    [new DOMException("gone", "AbortError"), 503, "unavailable"],
  ];
  for (const [error, status, kind] of cases) {
    const response = problemResponse(error, CONTEXT);
    const document = await response.json();
    assertEquals([response.status, document.type], [status, `/problems/${kind}`]);
    assert(document.detail.length > 0);
  }
});

Deno.test("Anything else is internal: logged with an id, and nothing of it shown", async () => {
  const errors = [
    new TypeError("secret detail"),
    new SyntaxError("secret: invalid regular expression"),
    new HTTPException(500, { message: "secret" }),
    "secret",
    undefined,
  ];
  for (const error of errors) {
    const logged: [string, unknown][] = [];
    const response = problemResponse(error, {
      ...CONTEXT,
      log: (...entry) => void logged.push(entry),
    });
    const text = await response.text();
    const { id, type, status } = JSON.parse(text);
    assertEquals([type, status, response.status], ["/problems/internal", 500, 500]);
    assertMatch(id, /^[0-9a-f-]{36}$/);
    assertEquals(logged, [[id, error]]);
    assertFalse(/secret|stack|\.ts/.test(text), text);
  }
});

function jsonError(): unknown {
  try {
    return JSON.parse("{]");
  } catch (error) {
    return error;
  }
}
