import { assert, assertEquals } from "@std/assert";
import { floatsOf } from "../../support/merge_requests.ts";
import { smallCheckpoint } from "../../support/stored_checkpoint.ts";
import { type RangeServerOptions, startRangeServer } from "../../support/range_server.ts";
import { layoutSafetensors } from "../../../core/checkpoint/write_safetensors.ts";
import { testApp, type TestAppOptions } from "../../support/service.ts";

/** Three tensors of 128 KB, so that a merge asks its server several times. */
function checkpoint(seed: number): Uint8Array<ArrayBuffer> {
  const shape = [32_768];
  const layout = layoutSafetensors(
    ["a", "b", "c"].map((name) => ({ name, dtype: "F32" as const, shape })),
    {},
  );
  const bytes = new Uint8Array(layout.byteLength);
  bytes.set(layout.header);
  for (const { start } of layout.tensors) {
    const values = Float32Array.from({ length: shape[0]! }, (_, i) => Math.sin(seed + i));
    bytes.set(new Uint8Array(values.buffer), start);
  }
  return bytes;
}

const FILE = checkpoint(1);
const OTHER = checkpoint(2);
const WRONG = smallCheckpoint(5000);

/** One way to misbehave: at request `n` only, or from it on. */
type Misbehaviour = (hits: (request: number) => boolean) => RangeServerOptions;

const MISBEHAVIOURS: Readonly<Record<string, Misbehaviour>> = {
  "answers 503": (hits) => ({ fail: hits }),
  "answers 404": (hits) => ({ fail: hits, failStatus: 404 }),
  "asks to wait for a second": (hits) => ({ fail: hits, failStatus: 429, retryAfter: "1" }),
  "resets the connection mid-stream": (hits) => ({ truncate: (n) => hits(n) ? 700 : undefined }),
  "resets the connection at once": (hits) => ({ truncate: (n) => hits(n) ? 0 : undefined }),
  "ends early as if it were whole": (hits) => ({
    truncate: (n) => hits(n) ? 700 : undefined,
    truncateCleanly: true,
  }),
  "sends no header": (hits) => ({ hang: (n) => hits(n) ? "header" : undefined }),
  "sends no body": (hits) => ({ hang: (n) => hits(n) ? "body" : undefined }),
  "changes its version": (hits) => ({ etag: (n) => hits(n) ? '"v2"' : '"v1"' }),
  "changes its version and its bytes": (hits) => ({
    etag: (n) => hits(n) ? '"v2"' : '"v1"',
    bytesOf: (n) => hits(n) ? OTHER : FILE,
  }),
};
const LIES: Readonly<Record<string, RangeServerOptions>> = {
  "ignores ranges": { ignoreRange: true },
  "tells another range": {
    contentRange: (start, end, total) => `bytes ${start + 1}-${end}/${total}`,
  },
  "tells another size": { contentRange: (start, end) => `bytes ${start}-${end - 1}/999999999999` },
  "tells no size": { contentRange: (start, end) => `bytes ${start}-${end - 1}/*` },
  "tells nonsense": { contentRange: () => "bytes one-two/three" },
  "says that it compresses": { contentEncoding: "gzip" },
  "sends crumbs": { longest: 10 },
  "sends another file": { bytesOf: () => WRONG },
  "sends an empty file": { bytesOf: () => new Uint8Array() },
  "sends a file without its end": { bytesOf: () => FILE.slice(0, FILE.length - 1000) },
};

const OPTIONS: TestAppOptions = { limits: { sourceStall: 0.4 } };

/** Merges the server's file with a stored one; answers what came: the bytes, a problem's kind, or nothing. */
async function outcome(options: RangeServerOptions): Promise<Uint8Array | string> {
  const server = startRangeServer(FILE, options);
  const { host } = new URL(server.url);
  const { app, faults, close } = testApp({ ...OPTIONS, sourceHosts: [host] });
  try {
    const stored = await app.request("/checkpoints", { method: "POST", body: OTHER });
    const { id } = await stored.json();
    const answer = await app.request("/merge", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        merge_method: "linear",
        models: [{ model: "far" }, { model: "near" }],
        parameters: { weight: 1 },
        sources: { far: { url: server.url }, near: { checkpoint: id } },
      }),
    });
    assert(answer.status !== 500, `${faults}`);
    if (!answer.ok) return (await answer.json()).type;
    const length = Number(answer.headers.get("content-length"));
    const bytes = await answer.arrayBuffer().catch(() => undefined);
    if (bytes === undefined) return "broken off";
    assertEquals(bytes.byteLength, length);
    return new Uint8Array(bytes);
  } finally {
    await close();
    await server.close();
  }
}

let whole: Uint8Array | undefined;
/** What a server that behaves leads to. */
async function expected(): Promise<Uint8Array> {
  return whole ??= await outcome({}) as Uint8Array;
}

Deno.test("a server of a URL source that fails once, or from some request on, never leads to a half result", async () => {
  const right = await expected();
  const cases = Object.entries(MISBEHAVIOURS).flatMap(([name, make]) =>
    [0, 1, 2, 3].flatMap((from) => [
      { name: `${name} at request ${from}`, options: make((n) => n === from) },
      { name: `${name} from request ${from} on`, options: make((n) => n >= from) },
    ])
  );
  const counts: Record<string, number> = {};
  await Promise.all(cases.map(async ({ name, options }) => {
    const found = await outcome(options);
    const kind = typeof found === "string" ? found : "whole";
    counts[kind] = (counts[kind] ?? 0) + 1;
    if (typeof found === "string") {
      const known = ["/problems/upstream", "/problems/invalid-checkpoint", "broken off"];
      assert(known.includes(found), `${name}: ${found}`);
      // A request that failed once is repeated.
      assert(!/503 at|stream at|at once at/.test(name), `${name}: ${found}`);
    } else if (!name.endsWith("bytes from request 0 on")) {
      // The address, with its port, stands in the metadata.
      assertEquals(await floatsOf(found), await floatsOf(right), name);
    }
  }));
  console.log(JSON.stringify({ cases: cases.length, ...counts }));
  assert(counts["whole"]! > 10 && counts["/problems/upstream"]! > 10, JSON.stringify(counts));
});

Deno.test("a server of a URL source that lies is told of, and nothing of it is served", async () => {
  await Promise.all(
    Object.entries(LIES).map(async ([name, options]) => {
      const found = await outcome(options);
      const text = typeof found === "string" ? found : "whole";
      assert(/upstream|invalid-checkpoint|mismatch/.test(text), `${name}: ${text}`);
    }),
  );
});
