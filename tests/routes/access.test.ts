import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { SCOPES } from "../../core/access.ts";
import { neededScopes } from "../../routes/http/scopes.ts";
import { SECURITY_HEADERS } from "../../routes/http/security_headers.ts";
import { readUntil, sendRaw } from "../support/raw_connection.ts";
import { testApp, type TestAppOptions } from "../support/service.ts";

async function digestOf(key: string): Promise<string> {
  const bytes = new TextEncoder().encode(key);
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

type App = ReturnType<typeof testApp>["app"];

async function withApp(options: TestAppOptions, run: (app: App) => Promise<void>): Promise<void> {
  const { app, close } = testApp(options);
  try {
    await run(app);
  } finally {
    await close();
  }
}

/** Status and type of the answer; a body is sent where the method has one. */
async function ask(app: App, route: string, headers: Record<string, string> = {}) {
  const [method, path] = route.split(" ") as [string, string];
  const response = await app.request(path, {
    method,
    headers: { "content-type": "application/json", ...headers },
    ...(method === "POST" ? { body: "{" } : {}),
  });
  const text = await response.text();
  const problem = response.ok || text === "" ? {} : JSON.parse(text);
  return { status: response.status, headers: response.headers, problem, text };
}

Deno.test("every route needs the scope that the table says, and an unknown one is closed", () => {
  assertEquals(neededScopes("GET", "/healthz"), undefined);
  assertEquals(neededScopes("HEAD", "/checkpoints/x"), ["read", "merge", "tune"]);
  assertEquals(neededScopes("GET", "/checkpoints/x/tensors"), ["read"]);
  assertEquals(neededScopes("GET", "/checkpoints"), ["read"]);
  assertEquals(neededScopes("DELETE", "/checkpoints/x"), ["admin"]);
  // What nobody thought of is closed.
  for (const [method, path] of [["POST", "/healthz/"], ["PUT", "/merge"], ["DELETE", "/x"]]) {
    assertEquals(neededScopes(method!, path!), ["admin"]);
  }
});

Deno.test("a key opens the routes of its scopes, and is told which scope others need", async () => {
  const entries = await Promise.all(
    SCOPES.map(async (scope) => `${await digestOf(`key-${scope}`)}:${scope}`),
  );
  const keys = [...entries, `${await digestOf("key-both")}:read+tune`, await digestOf("key-all")];
  const routes: [route: string, open: string[]][] = [
    ["GET /methods", ["read", "admin", "both", "all"]],
    ["HEAD /methods", ["read", "admin", "both", "all"]],
    ["GET /", ["none", "read", "merge", "tune", "admin", "both", "all"]],
    ["POST /merge", ["merge", "admin", "all"]],
    ["POST /plan", ["merge", "admin", "all"]],
    ["POST /task-vectors", ["merge", "admin", "all"]],
    ["POST /checkpoints", ["merge", "tune", "admin", "both", "all"]],
    ["POST /tune", ["tune", "admin", "both", "all"]],
    ["POST /evaluate", ["tune", "admin", "both", "all"]],
    ["POST /atm", ["tune", "admin", "both", "all"]],
    [`DELETE /checkpoints/sha256:${"0".repeat(64)}`, ["admin", "all"]],
    ["GET /nowhere", ["read", "admin", "both", "all"]],
    ["GET /healthz", ["none", "read", "merge", "tune", "admin", "both", "all"]],
  ];
  await withApp({ keys }, async (app) => {
    for (const [route, open] of routes) {
      for (const key of ["none", ...SCOPES, "both", "all"]) {
        const { status, headers, problem } = await ask(
          app,
          route,
          key === "none" ? {} : { authorization: `Bearer key-${key}` },
        );
        const at = `${route} with ${key}: ${status}`;
        if (open.includes(key)) assert(status !== 401 && status !== 403, at);
        else if (key === "none") {
          assertEquals(
            [status, headers.get("www-authenticate")],
            [401, 'Bearer realm="amalgam"'],
            at,
          );
        } else {
          assertEquals(status, 403, at);
          assertStringIncludes(headers.get("www-authenticate")!, 'error="insufficient_scope"');
          if (route.startsWith("HEAD")) continue;
          assertEquals(problem.type, "/problems/forbidden");
          assertStringIncludes(problem.detail, `the scope ${problem.scope.replace(" ", " or ")}`);
          assertEquals(problem.detail.includes("key-"), false);
        }
      }
    }
  });
});

Deno.test("several keys are good at once, so that one can replace another", async () => {
  const [old, next] = await Promise.all(["old", "next"].map(digestOf));
  const statuses = async (keys: string[]) => {
    const seen: number[] = [];
    await withApp({ keys }, async (app) => {
      for (const key of ["old", "next", "x".repeat(5000)]) {
        seen.push((await ask(app, "GET /methods", { authorization: `Bearer ${key}` })).status);
      }
    });
    return seen;
  };
  assertEquals(await statuses([old!]), [200, 401, 401]);
  assertEquals(await statuses([old!, next!]), [200, 200, 401]);
  assertEquals(await statuses([next!]), [401, 200, 401]);
});

Deno.test("without keys other hosts and origins are refused, over a real socket", async () => {
  const { app, close } = testApp({ loopbackOnly: true });
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, app.fetch);
  const { port } = server.addr;
  const cases: [head: string, status: number][] = [
    [`GET /methods HTTP/1.1\r\nHost: 127.0.0.1:${port}`, 200],
    [`GET /methods HTTP/1.1\r\nHost: localhost:${port}`, 200],
    [`GET /methods HTTP/1.1\r\nHost: LOCALHOST`, 200],
    [`GET /methods HTTP/1.1\r\nHost: [::1]:${port}`, 200],
    [`GET /methods HTTP/1.1\r\nHost: localhost:${port}\r\nOrigin: http://localhost:${port}`, 200],
    [`GET /methods HTTP/1.1\r\nHost: evil.example`, 403],
    [`GET /methods HTTP/1.1\r\nHost: evil.example:${port}`, 403],
    [`GET /methods HTTP/1.1\r\nHost: localhost.evil.example`, 403],
    [`GET /methods HTTP/1.1\r\nHost: 127.0.0.1.nip.example`, 403],
    [`GET /methods HTTP/1.1\r\nHost: 192.168.0.7:${port}`, 403],
    [`GET http://evil.example/methods HTTP/1.1\r\nHost: evil.example`, 403],
    [`GET http://evil.example/methods HTTP/1.1\r\nHost: localhost`, 403],
    [`GET http://localhost/methods HTTP/1.1\r\nHost: evil.example`, 403],
    [`GET /methods HTTP/1.1\r\nHost: localhost:${port}\r\nOrigin: https://evil.example`, 403],
    [`GET /methods HTTP/1.1\r\nHost: localhost:${port}\r\nOrigin: http://localhost:1`, 403],
    [`GET /methods HTTP/1.1\r\nHost: localhost:${port}\r\nOrigin: null`, 403],
    [`POST /plan HTTP/1.1\r\nHost: localhost:${port}\r\nSec-Fetch-Site: cross-site`, 403],
    // A platform's probe uses whatever address it knows.
    [`GET /healthz HTTP/1.1\r\nHost: 10.1.2.3:${port}`, 200],
  ];
  for (const [head, status] of cases) {
    const connection = await sendRaw(port, `${head}\r\nConnection: close\r\n\r\n`);
    const answer = await readUntil(connection, "\r\n\r\n");
    connection.close();
    assertStringIncludes(answer.slice(0, 12), `HTTP/1.1 ${status}`, head);
  }
  await server.shutdown();
  await close();
});

Deno.test("pages of other origins may call only where their origin is listed", async () => {
  const origin = "https://app.example.org";
  const preflight = { origin, "access-control-request-method": "POST" };
  const keys = [await digestOf("abc")];
  const key = { authorization: "Bearer abc" };
  const granted = ({ headers }: { headers: Headers }) => headers.get("access-control-allow-origin");
  await withApp({ keys }, async (app) => {
    const plain = await ask(app, "OPTIONS /merge", preflight);
    assertEquals([plain.status, granted(plain)], [401, null]);
    assertEquals(granted(await ask(app, "GET /methods", { ...key, origin })), null);
  });
  await withApp({ keys, cors: [origin] }, async (app) => {
    const asked = await ask(app, "OPTIONS /merge", preflight);
    assertEquals([asked.status, granted(asked)], [204, origin]);
    const allowed = asked.headers.get("access-control-allow-headers")!;
    for (const field of ["authorization", "adapter-config"]) assertStringIncludes(allowed, field);
    assertEquals(asked.headers.has("access-control-allow-credentials"), false);
    const got = await ask(app, "GET /methods", { ...key, origin });
    assertEquals([got.status, granted(got), got.headers.get("vary")], [200, origin, "Origin"]);
    assertStringIncludes(got.headers.get("access-control-expose-headers")!, "location");
    // A page must be able to read why it was refused.
    const refused = await ask(app, "GET /methods", { origin });
    assertEquals([refused.status, granted(refused)], [401, origin]);
    const other = { ...preflight, origin: "https://evil.example" };
    const strange = await ask(app, "OPTIONS /merge", other);
    assertEquals([strange.status, granted(strange)], [204, null]);
    assertEquals(granted(await ask(app, "GET /methods", { ...key, origin: other.origin })), null);
  });
  await withApp({ cors: ["*"], loopbackOnly: true }, async (app) => {
    const got = await ask(app, "GET /methods", { origin: "https://any.example" });
    assertEquals([got.status, granted(got)], [200, "*"]);
  });
  await withApp({ cors: [origin], loopbackOnly: true }, async (app) => {
    assertEquals((await ask(app, "GET /methods", { origin })).status, 200);
    assertEquals((await ask(app, "GET /methods", { origin: "https://b.example" })).status, 403);
  });
});

Deno.test("every answer has the security headers", async () => {
  await withApp({ keys: [await digestOf("abc")] }, async (app) => {
    const key = { authorization: "Bearer abc" };
    const answers = [
      await ask(app, "GET /", key),
      await ask(app, "HEAD /methods", key),
      await ask(app, "GET /nowhere", key),
      await ask(app, "PUT /merge", key),
      await ask(app, "POST /merge", key),
      await ask(app, "POST /merge"),
      await ask(app, "GET /healthz"),
    ];
    for (const { status, headers } of answers) {
      for (const [name, value] of Object.entries(SECURITY_HEADERS)) {
        assertEquals(headers.get(name), value, `${name} of a ${status}`);
      }
      assertEquals(headers.has("strict-transport-security"), false);
    }
    const secure = await app.request("https://amalgam.example/healthz");
    await secure.body?.cancel();
    assertStringIncludes(secure.headers.get("strict-transport-security")!, "max-age=");
  });
});
