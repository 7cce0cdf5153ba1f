import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Bytes } from "../../core/checkpoint/byte_source.ts";
import {
  atmDocument,
  atmEvents,
  farthest,
  runTasks,
  taskShards,
  valuesOf,
} from "../support/atm.ts";
import { testApp } from "../support/service.ts";
import { safetensorsOf, smallModel, weights } from "../support/small_model.ts";

/** What a site makes of its answer; the request is the one that it was sent. */
type Change = (path: string, response: Response, request: Request) => Promise<Response> | Response;

/** A service on a port of its own that keeps what it is sent and what it answers. */
function participant(change: Change) {
  const test = testApp();
  const wire: Uint8Array[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const path = new URL(request.url).pathname;
    const body = new Uint8Array(await request.arrayBuffer());
    wire.push(body);
    const init = { method: request.method, headers: request.headers };
    const answer = await test.app.request(
      path,
      ["GET", "HEAD"].includes(request.method) ? init : { ...init, body },
    );
    const response = await change(path, answer, request);
    const copy = response.clone().arrayBuffer();
    copy.then((sent) => wire.push(new Uint8Array(sent)), () => {});
    return response;
  });
  return {
    wire,
    host: `127.0.0.1:${server.addr.port}`,
    store: (bytes: Bytes) => stored(test, bytes),
    async close() {
      await server.shutdown();
      await test.close();
    },
  };
}

async function stored({ app }: ReturnType<typeof testApp>, bytes: Bytes): Promise<string> {
  const response = await app.request("/checkpoints", { method: "POST", body: bytes });
  const { id, detail } = await response.json();
  assert(id, detail);
  return id;
}

/** Two participants with a shard each, and a coordinator that holds the select shards only. */
async function federation(
  use: (parts: {
    coordinator: ReturnType<typeof testApp>;
    sites: ReturnType<typeof participant>[];
    document: Record<string, unknown>;
    uploads: [string, Bytes][];
  }) => Promise<void>,
  change: Change = (_, response) => response,
  settings: Record<string, unknown> = {},
): Promise<void> {
  const sites = [participant((_, response) => response), participant(change)];
  const coordinator = testApp({ sourceHosts: sites.map(({ host }) => host) });
  try {
    const shards = taskShards();
    const tasks = await Promise.all(["one", "two"].map(async (name, i) => {
      await sites[i]!.store(smallModel());
      const shard = await sites[i]!.store(shards[`${name}-tune`]!);
      return {
        name,
        participant: { url: `http://${sites[i]!.host}`, shard, ...settings },
        select: `${name}-select`,
        target: "y",
        loss: "cross_entropy",
      };
    }));
    const document = {
      ...atmDocument({ tasks, mode: "published", references: ["base", "joint"] }),
      model: await stored(coordinator, smallModel()),
    };
    for (const site of sites) site.wire.length = 0;
    const uploads: [string, Bytes][] = [
      ["start", safetensorsOf(weights(1))],
      ["one-select", shards["one-select"]!],
      ["two-select", shards["two-select"]!],
    ];
    await use({ coordinator, sites, document, uploads });
  } finally {
    await coordinator.close();
    for (const site of sites) await site.close();
  }
}

/** Whether one run of bytes lies in another. */
function contains(bytes: Uint8Array, part: Uint8Array): boolean {
  const text = (each: Uint8Array) => new TextDecoder("latin1").decode(each);
  return text(bytes).includes(text(part));
}

Deno.test("two participants hold a shard each: the result is that of pooled shards, and no row travels", async () => {
  await federation(async ({ coordinator, sites, document, uploads }) => {
    const last = (await atmEvents(coordinator.app, document, uploads)).at(-1)!;
    assertEquals(last["event"], "result", JSON.stringify(last));
    const { id } = last["checkpoint"] as { id: string };
    const local = await runTasks({ mode: "published" });
    assert(farthest(await valuesOf(coordinator.app, id), local.values) < 1e-6);
    assertEquals((last["references"] as Record<string, unknown>)["joint"], {
      gap: "data not pooled",
    });
    const ledger = last["ledger"] as { use: string; holder: string; digest: string }[];
    const tuned = ledger.filter(({ use }) => use === "tune");
    assertEquals(tuned.map(({ holder }) => holder), sites.map(({ host }) => `http://${host}`));
    const shards = taskShards();
    ["one", "two"].forEach((name, i) => {
      const file = shards[`${name}-tune`]!;
      const header = 8 + new DataView(file.buffer).getUint32(0, true);
      for (let row = 0; row < 24; row++) {
        const bytes = file.subarray(header + 192 + 16 * row, header + 208 + 16 * row);
        assert(contains(file, bytes));
        assert(!sites[i]!.wire.some((sent) => contains(sent, bytes)), `row ${row} of ${name}`);
      }
    });
    assert(Number((last["cost"] as { bytes: number }).bytes) > 0);
  });
});

Deno.test("a participant that fails ends the round by name; the run is resumed when it is back", async () => {
  let calls = 0;
  let broken = true;
  await federation(async ({ coordinator, document, uploads }) => {
    const events = await atmEvents(coordinator.app, document, uploads);
    const last = events.at(-1)!;
    assertEquals([last["event"], last["type"]], ["error", "/problems/upstream"]);
    assertStringIncludes(String(last["detail"]), '"two"');
    assertEquals(events.filter(({ event }) => event === "round").length, 1);
    broken = false;
    const run = events.find(({ event }) => event === "start")!["run"];
    const again = (await atmEvents(coordinator.app, { ...document, resume: run }, uploads)).at(-1)!;
    assertEquals(again["event"], "result", JSON.stringify(again));
    const { id } = again["checkpoint"] as { id: string };
    const local = await runTasks({ mode: "published" });
    assert(farthest(await valuesOf(coordinator.app, id), local.values) < 1e-6);
  }, (path, response) => {
    if (path !== "/tune") return response;
    calls++;
    return broken && calls > 1 ? new Response("gone", { status: 500 }) : response;
  });
});

Deno.test("a participant whose answer is wrong ends the round; nothing of it is used", async () => {
  const wrong: readonly [string, (answer: Record<string, unknown>) => unknown, string][] = [
    ["no task vector", ({ task_vector: _, ...rest }) => rest, "must hold task_vector"],
    [
      "weights instead",
      (answer) => ({ ...answer, task_vector: answer["checkpoint"] }),
      "task vector",
    ],
    ["losses that are no numbers", (answer) => ({ ...answer, loss: ["x"] }), "must hold"],
    ["an id that is not there", (answer) => ({
      ...answer,
      task_vector: { id: `sha256:${"0".repeat(64)}` },
    }), "404"],
  ];
  for (const [name, spoil, says] of wrong) {
    await federation(
      async ({ coordinator, document, uploads }) => {
        const events = await atmEvents(coordinator.app, document, uploads);
        const last = events.at(-1)!;
        assertEquals(last["event"], "error", name);
        assertStringIncludes(String(last["detail"]), says);
        assertStringIncludes(String(last["detail"]), "two");
        assertEquals(events.filter(({ event }) => event === "round"), []);
      },
      async (path, response) =>
        path === "/tune" ? Response.json(spoil(await lastEvent(response))) : response,
    );
  }
});

async function lastEvent(response: Response): Promise<Record<string, unknown>> {
  return JSON.parse((await response.text()).trim().split("\n").at(-1)!);
}

/** The last event of a run, which must have failed before its first round ended. */
async function failureOf(change: Change, settings: Record<string, unknown> = {}): Promise<string> {
  let detail = "";
  await federation(
    async ({ coordinator, document, uploads }) => {
      const events = await atmEvents(coordinator.app, document, uploads);
      assertEquals(events.at(-1)!["event"], "error");
      assertEquals(events.filter(({ event }) => event === "round"), []);
      detail = String(events.at(-1)!["detail"]);
    },
    change,
    settings,
  );
  return detail;
}

Deno.test("a participant that falls silent fails the round in its time", async () => {
  const detail = await failureOf(
    (path, response) =>
      path === "/tune"
        ? new Response(new ReadableStream({ pull: () => new Promise(() => {}) }), {
          headers: response.headers,
        })
        : response,
    { timeout: 1 },
  );
  assertStringIncludes(detail, "nothing came for 1 s (after 3 tries)");
  assertStringIncludes(detail, '"two"');
});

Deno.test("an answer that breaks off is asked for again under the same key", async () => {
  const keys: (string | null)[] = [];
  await federation(async ({ coordinator, document, uploads }) => {
    const last = (await atmEvents(coordinator.app, document, uploads)).at(-1)!;
    assertEquals(last["event"], "result", JSON.stringify(last));
  }, async (path, response, request) => {
    if (path !== "/tune") return response;
    keys.push(request.headers.get("idempotency-key"));
    if (keys.length > 1) return response;
    const [first] = (await response.text()).split("\n");
    return new Response(`${first}\n`, { headers: response.headers });
  });
  assertEquals(keys.length, 3);
  assert(keys[0] && keys[0] === keys[1] && keys[1] !== keys[2]);
});

Deno.test("a task vector from another start is refused, and one that is too long", async () => {
  const other = await failureOf(async (path, response) =>
    path === "/tune"
      ? Response.json({ ...await lastEvent(response), start: { id: `sha256:${"1".repeat(64)}` } })
      : response
  );
  assertStringIncludes(other, "must start from sha256:");
  const long = await failureOf((_, response) => response, { max_norm: 1e-6 });
  assertStringIncludes(long, "its norm must be at most 0.00000100000");
});

Deno.test("a participant is sent its headers, and nothing else learns of them", async () => {
  const secret = "Bearer a-secret-of-the-site";
  let seen = 0;
  await federation(
    async ({ coordinator, document, uploads, sites }) => {
      const events = await atmEvents(coordinator.app, document, uploads);
      const last = events.at(-1)!;
      assertEquals(last["event"], "result", JSON.stringify(last));
      assert(!JSON.stringify(events).includes("a-secret"));
      const { id } = last["checkpoint"] as { id: string };
      const file = await (await coordinator.app.request(`/checkpoints/${id}`)).text();
      assertStringIncludes(file, sites[0]!.host);
      assert(!file.includes("a-secret"));
    },
    (_, response, request) => {
      if (request.headers.get("authorization") === secret) seen++;
      return response;
    },
    { headers: { authorization: secret } },
  );
  assert(seen >= 6, `${seen}`);
});
