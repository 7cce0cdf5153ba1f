import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { startRangeServer } from "./support/range_server.ts";
import { eventually, readUntil, sendRaw } from "./support/raw_connection.ts";
import { smallCheckpoint } from "./support/stored_checkpoint.ts";
import { startServed, startServing } from "./support/serving.ts";
import { inFolder } from "./support/temporary_folder.ts";

const MIB = 1 << 20;

const recipe = (sources: Record<string, unknown>) =>
  JSON.stringify({
    merge_method: "linear",
    models: Object.keys(sources).map((model) => ({ model, parameters: { weight: 1 } })),
    sources,
  });
const json = { "content-type": "application/json" };

async function store(origin: string, bytes: BodyInit): Promise<string> {
  const stored = await fetch(`${origin}/checkpoints`, { method: "POST", body: bytes });
  return (await stored.json()).id;
}

Deno.test("SIGTERM: a merge under way ends whole, new work is refused, readiness ends at once, exit code 0", async () => {
  await inFolder(async (folder) => {
    const service = await startServing({ AMALGAM_DATA: folder, AMALGAM_GRACE: "30" });
    const { origin } = service;
    const id = await store(origin, smallCheckpoint(32 * MIB));
    const ready = await fetch(`${origin}/readyz`);
    assertEquals([ready.status, await ready.json()], [200, { status: "ready" }]);
    const merging = await fetch(`${origin}/merge`, {
      method: "POST",
      headers: json,
      body: recipe({ a: { checkpoint: id } }),
    });
    const announced = Number(merging.headers.get("content-length"));
    assert(announced > 32 * MIB);
    // Nothing is read yet: back-pressure keeps the merge under way.
    const kept = await sendRaw(service.port, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
    await readUntil(kept, "alive");
    service.signal("SIGTERM");
    assert(
      await eventually(async () => {
        const answer = await fetch(`${origin}/readyz`);
        const problem = await answer.json();
        if (answer.status !== 503) return false;
        assertEquals(problem.type, "/problems/unavailable");
        assertStringIncludes(problem.detail, "the service stops");
        return true;
      }),
    );
    // A connection from before, and new ones.
    const post = `POST /plan HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}`;
    await kept.write(new TextEncoder().encode(post));
    const refused = (await readUntil(kept, "service stops")).toLowerCase();
    assertStringIncludes(refused, "http/1.1 503");
    assertStringIncludes(refused, "connection: close");
    assertStringIncludes(refused, "retry-after: 5");
    kept.close();
    const fresh = await fetch(`${origin}/methods`);
    assertEquals([fresh.status, (await fresh.json()).type], [503, "/problems/unavailable"]);
    const alive = await fetch(`${origin}/healthz`);
    assertEquals([alive.status, await alive.json()], [200, { status: "alive" }]);

    const bytes = new Uint8Array(await merging.arrayBuffer());
    assertEquals(bytes.length, announced);
    const { code, log } = await service.ended;
    assertEquals(code, 0, log);
    const merged = log.split("\n").filter((line) => line.includes('"route":"/merge"'));
    assertEquals(merged.length, 1, log);
    assertStringIncludes(merged[0]!, `"bytes_out":${announced}`);
    const gone = await fetch(`${origin}/healthz`).then(() => "there", () => "gone");
    assertEquals(gone, "gone");
  });
});

Deno.test("SIGTERM: a job is queued again, and ends in the next process", async () => {
  await inFolder(async (folder) => {
    const bytes = smallCheckpoint(400_000);
    // The tensor's bytes come only when the second process asks.
    let open = false;
    const source = startRangeServer(bytes, { hang: (n) => n > 0 && !open ? "body" : undefined });
    const environment = {
      AMALGAM_DATA: folder,
      AMALGAM_SOURCE_HOSTS: new URL(source.url).host,
      AMALGAM_GRACE: "5",
    };
    const first = await startServing(environment);
    const accepted = await fetch(`${first.origin}/merge`, {
      method: "POST",
      headers: { ...json, prefer: "respond-async" },
      body: recipe({ a: { url: source.url } }),
    });
    const { id } = await accepted.json();
    const stateAt = async (origin: string) =>
      (await (await fetch(`${origin}/jobs/${id}`)).json()).state;
    assert(await eventually(async () => await stateAt(first.origin) === "running"));
    assert(await eventually(() => source.requests.length > 1));
    // Whoever follows the job does not keep the process from ending.
    const following = await fetch(`${first.origin}/jobs/${id}/events`);
    const followed = following.text().catch(() => "cut");
    first.signal("SIGTERM");
    const { code, log, ms } = await first.ended;
    assertEquals(code, 0, log);
    assert(ms < 5000, `it took its whole grace: ${ms} ms`);
    await followed;

    open = true;
    const second = await startServing(environment);
    assert(
      await eventually(async () => await stateAt(second.origin) === "done"),
      await stateAt(second.origin),
    );
    second.signal("SIGINT");
    assertEquals((await second.ended).code, 0);
    await source.close();
  });
});

Deno.test("SIGTERM: a request that outlives the grace is cut off, and the end is in order all the same", async () => {
  const service = await startServing({ AMALGAM_DATA: "memory:", AMALGAM_GRACE: "1" });
  const id = await store(service.origin, smallCheckpoint(32 * MIB));
  const download = await fetch(`${service.origin}/checkpoints/${id}`);
  service.signal("SIGTERM");
  const { code, log } = await service.ended;
  assertEquals(code, 0, log);
  assertStringIncludes(log, "cut off");
  const cut = await download.arrayBuffer().then(() => "whole", () => "cut");
  assertEquals(cut, "cut");
});

Deno.test("SIGTERM: where the host listens, a merge under way ends whole, and the process ends in order", async () => {
  await inFolder(async (folder) => {
    const service = await startServed({ AMALGAM_DATA: folder, AMALGAM_GRACE: "30" });
    const id = await store(service.origin, smallCheckpoint(16 * MIB));
    const merging = await fetch(`${service.origin}/merge`, {
      method: "POST",
      headers: json,
      body: recipe({ a: { checkpoint: id } }),
    });
    const announced = Number(merging.headers.get("content-length"));
    service.signal("SIGTERM");
    await service.told("amalgam stops");
    assertEquals((await merging.arrayBuffer()).byteLength, announced);
    const { code, log } = await service.ended;
    assertEquals(code, 0, log);
    assertStringIncludes(log, "amalgam has stopped");
  });
});

Deno.test("SIGTERM: where the host listens, a service that nobody asked for anything ends as well", async () => {
  const service = await startServed({ AMALGAM_DATA: "memory:" });
  service.signal("SIGTERM");
  assertEquals((await service.ended).code, 0);
});

Deno.test("a second signal ends the process at once", async () => {
  const service = await startServing({ AMALGAM_DATA: "memory:", AMALGAM_GRACE: "600" });
  const id = await store(service.origin, smallCheckpoint(32 * MIB));
  const download = await fetch(`${service.origin}/checkpoints/${id}`);
  service.signal("SIGTERM");
  await service.told("amalgam stops");
  service.signal("SIGTERM");
  const { code, log } = await service.ended;
  assertEquals(code, 143, log);
  await download.body!.cancel().catch(() => {});
});
