import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { explainHub, isRepository, isRevision } from "../../core/sources/hub.ts";
import { Problem } from "../../core/problem.ts";
import { type FileRoute, type FileServer, startFileServer } from "../support/file_server.ts";
import { checkpointBytes } from "../support/merging.ts";
import {
  floatsOf,
  mergedBytes,
  postRecipe,
  problemOf,
  type TestApp,
} from "../support/merge_requests.ts";
import { testApp } from "../support/service.ts";

const COMMIT = "0123456789abcdef0123456789abcdef01234567";
const MODEL = checkpointBytes({ w: [1, 2, 3] });
const TOKEN = "Bearer hush";

/** Runs with a hub whose operator has a token or none, and optionally another host. */
async function withHub(
  route: FileRoute,
  run: (app: TestApp, hub: FileServer) => Promise<void>,
  { token, hosts = [] }: { token?: string; hosts?: readonly string[] } = {},
): Promise<void> {
  const hub = startFileServer(route);
  const { app, close } = testApp({
    sourceHosts: [hub.host, ...hosts],
    hub: { url: hub.url, headers: token === undefined ? {} : { authorization: token } },
  });
  try {
    await run(app, hub);
  } finally {
    await close();
    await hub.close();
  }
}

function recipe(source: Record<string, unknown>) {
  return {
    merge_method: "linear",
    models: [{ model: "m" }],
    sources: { m: { hub: "org/net", ...source } },
  };
}

/** A hub that tells of its repository, as the public one does. */
function telling(files: Record<string, Uint8Array<ArrayBuffer>>): FileRoute {
  return (path) => {
    if (path.startsWith("/api/models/org/net/revision/")) {
      const siblings = Object.keys(files).map((rfilename) => ({ rfilename }));
      return Response.json({ sha: COMMIT, siblings });
    }
    return files[decodeURIComponent(path.replace(`/org/net/resolve/${COMMIT}/`, ""))];
  };
}

Deno.test("a repository's model.safetensors is read at the commit that its branch stands for", async () => {
  await withHub(telling({ "model.safetensors": MODEL }), async (app, hub) => {
    const response = await postRecipe(app, "/merge", recipe({ revision: "refs/pr/1" }));
    const bytes = await mergedBytes(response);
    assertEquals([...(await floatsOf(bytes)).w!], [1, 2, 3]);
    assertEquals(hub.seen[0]!.path, "/api/models/org/net/revision/refs%2Fpr%2F1");
    assert(hub.seen.slice(1).every(({ path }) => path.includes(`/resolve/${COMMIT}/`)));
    // The result says from which commit it was made.
    assertStringIncludes(new TextDecoder().decode(bytes), `org/net@${COMMIT}`);
  });
});

Deno.test("without model.safetensors the shards of its index are read, also from a plain mirror", async () => {
  const index = JSON.stringify({ weight_map: { w: "model-00001-of-00001.safetensors" } });
  const files: Record<string, Uint8Array<ArrayBuffer>> = {
    "/org/net/resolve/main/model.safetensors.index.json": new TextEncoder().encode(index),
    "/org/net/resolve/main/model-00001-of-00001.safetensors": MODEL,
    "/org/net/resolve/main/sub/other.safetensors": checkpointBytes({ w: [4] }),
  };
  await withHub((path) => files[path], async (app) => {
    const whole = await mergedBytes(await postRecipe(app, "/merge", recipe({})));
    assertEquals([...(await floatsOf(whole)).w!], [1, 2, 3]);
    const file = { file: "sub/other.safetensors" };
    const other = await mergedBytes(await postRecipe(app, "/merge", recipe(file)));
    assertEquals([...(await floatsOf(other)).w!], [4]);
  });
});

Deno.test("a token goes to the hub and no further", async () => {
  const store = startFileServer(() => MODEL);
  const route: FileRoute = (path, request) => {
    if (request.headers.get("authorization") !== TOKEN) return new Response("", { status: 401 });
    if (!path.endsWith("/model.safetensors")) return undefined;
    return Response.redirect(`${store.url}/blob?signature=x`, 302);
  };
  for (const options of [{ token: TOKEN }, { token: "Bearer other" }, {}]) {
    const own = options.token === TOKEN ? {} : { headers: { Authorization: TOKEN } };
    await withHub(route, async (app) => {
      const bytes = await mergedBytes(await postRecipe(app, "/merge", recipe(own)));
      assertEquals([...(await floatsOf(bytes)).w!], [1, 2, 3]);
      assert(!new TextDecoder().decode(bytes).includes("hush"));
    }, { ...options, hosts: [store.host] });
  }
  assert(store.seen.length >= 3);
  assertEquals(store.seen.filter(({ authorization }) => authorization !== null), []);
  await store.close();
});

Deno.test("a hub that redirects to a host that is not allowed is not followed", async () => {
  const store = startFileServer(() => MODEL);
  await withHub(() => Response.redirect(`${store.url}/blob`, 302), async (app) => {
    const problem = await problemOf(await postRecipe(app, "/plan", recipe({})));
    assertEquals(problem.kind, "forbidden-source");
  });
  assertEquals(store.seen.length, 0);
  await store.close();
});

Deno.test("what a hub refuses is explained", async () => {
  const refusing = (status: number, code?: string): FileRoute => () =>
    new Response("secret", { status, headers: code ? { "x-error-code": code } : {} });
  const cases: [FileRoute, string | undefined, Record<string, unknown>, number, string][] = [
    [refusing(401), undefined, {}, 401, "private or does not exist"],
    [refusing(401), TOKEN, {}, 401, "the token was not accepted"],
    [refusing(401, "GatedRepo"), undefined, {}, 401, "accept its terms"],
    [refusing(403, "GatedRepo"), TOKEN, {}, 403, "has not been granted access"],
    [refusing(404, "RepoNotFound"), undefined, {}, 404, "there is no repository org/net"],
    [
      refusing(404, "RevisionNotFound"),
      undefined,
      { revision: "v2" },
      404,
      'no revision "v2"',
    ],
    [
      telling({ "sub/model.safetensors": MODEL }),
      undefined,
      { file: "sub/modle.safetensors" },
      404,
      'did you mean "sub/model.safetensors"',
    ],
    [
      telling({ "pytorch_model.bin": MODEL }),
      undefined,
      {},
      404,
      'adapter_model.safetensors at "main"; it has pytorch_model.bin',
    ],
  ];
  for (const [route, token, source, status, says] of cases) {
    await withHub(route, async (app) => {
      const problem = await problemOf(await postRecipe(app, "/plan", recipe(source)));
      assertEquals(
        [problem.kind, problem.status, problem.source, problem.upstream_status],
        ["upstream", 502, "m", status],
      );
      assertStringIncludes(problem.detail, says);
      assert(!/hush|secret/.test(JSON.stringify(problem)));
    }, token === undefined ? {} : { token });
  }
});

Deno.test("a hub that is not among the allowed hosts is not asked", async () => {
  const hub = startFileServer(() => MODEL);
  const { app, close } = testApp({ hub: { url: hub.url, headers: { authorization: TOKEN } } });
  const problem = await problemOf(await postRecipe(app, "/plan", recipe({})));
  assertEquals([problem.kind, hub.seen.length], ["forbidden-source", 0]);
  await close();
  await hub.close();
});

Deno.test("a source that leads out of its repository is refused before anything is read", async () => {
  const cases: [Record<string, unknown>, string][] = [
    [{ hub: "../net" }, "sources.m.hub"],
    [{ hub: "org/net/more" }, "sources.m.hub"],
    [{ hub: "org/net", revision: "../.." }, "sources.m.revision"],
    [{ hub: "org/net", file: "../../x" }, "sources.m.file"],
    [{ hub: "org/net", file: "/x" }, "sources.m.file"],
    [{ hub: "org/net", url: "https://a.example/x" }, "sources.m"],
    [{ url: "https://a.example/x", revision: "main" }, "sources.m.revision"],
    [{ upload: true, file: "x" }, "sources.m.file"],
    [{ path: "x", headers: { a: "b" } }, "sources.m.headers"],
  ];
  const { app, close } = testApp();
  for (const [source, path] of cases) {
    const document = { merge_method: "linear", models: [{ model: "m" }], sources: { m: source } };
    const problem = await problemOf(await postRecipe(app, "/plan", document));
    assertEquals([problem.kind, problem.errors!.map((fault) => fault.path)], [
      "invalid-recipe",
      [path],
    ]);
  }
  await close();
});

Deno.test("names of repositories and revisions are told from paths", () => {
  for (const name of ["gpt2", "org/net", "a-b.c/d_e-1.0"]) assert(isRepository(name), name);
  for (const name of ["", "a/", "/a", "a/b/c", "a/..", "a b", "a?b", "https://a"]) {
    assert(!isRepository(name), name);
  }
  for (const name of ["main", COMMIT, "refs/pr/1", "v1.0"]) assert(isRevision(name), name);
  for (const name of ["", "..", "a/../b", "a\\b"]) assert(!isRevision(name), name);
});

Deno.test("explainHub() leaves problems alone that are not the hub's refusal", () => {
  const refusal = { name: "m", source: { hub: "a/b" }, authorized: false, repository: undefined };
  const problems = [
    new Problem("forbidden-source", "x", { upstream_status: 404 }),
    new Problem("upstream", "x"),
    new Problem("upstream", "x", { upstream_status: 503 }),
  ];
  for (const problem of problems) assertEquals(explainHub(problem, refusal) === problem, true);
});
