import { assert, assertEquals, assertMatch } from "@std/assert";
import { Hono } from "hono";
import { layoutSafetensors } from "../../core/checkpoint/write_safetensors.ts";
import { fileBlobs } from "../../core/host/file_blobs.ts";
import { hostHasher } from "../../core/host/hasher.ts";
import type { CheckpointStore } from "../../core/store/checkpoints.ts";
import type { Manifest } from "../../core/store/records.ts";
import { checkpointRoutes } from "../../routes/checkpoints.ts";
import { problemResponse } from "../../routes/http/problem.ts";
import { eventually, readUntil, sendRaw } from "../support/raw_connection.ts";
import { safetensorsBytes } from "../support/safetensors_bytes.ts";
import { checkpointStore, smallCheckpoint } from "../support/stored_checkpoint.ts";
import { filesBelow, inFolder } from "../support/temporary_folder.ts";

interface Served {
  readonly port: number;
  readonly url: string;
  readonly folder: string;
  readonly store: CheckpointStore;
}

/** Serves the resource over files on a free port. */
async function served(run: (served: Served) => Promise<void>): Promise<void> {
  await inFolder(async (folder) => {
    const store = checkpointStore(await fileBlobs({ folder, makeHasher: hostHasher }));
    const app = new Hono().route("/", checkpointRoutes({ ...store, maximumUpload: 1e9 }));
    app.onError((error, { req: { path, method } }) =>
      problemResponse(error, { instance: path, method })
    );
    const server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      (request) => app.fetch(request),
    );
    const { port } = server.addr;
    try {
      await run({ port, url: `http://127.0.0.1:${port}/checkpoints`, folder, store });
    } finally {
      await server.shutdown();
    }
  });
}

const HEAD = "POST /checkpoints HTTP/1.1\r\nhost: x\r\n";

Deno.test("a client that goes away in the middle of an upload leaves nothing", async () => {
  await served(async ({ port, folder }) => {
    const bytes = smallCheckpoint(3 << 20);
    const half = bytes.subarray(0, 3 << 19);
    const starts: (string | Uint8Array)[][] = [
      [`${HEAD}content-length: ${bytes.length}\r\n\r\n`, half],
      [`${HEAD}transfer-encoding: chunked\r\n\r\n${bytes.length.toString(16)}\r\n`, half],
      // The chunk is whole, but not the body.
      [`${HEAD}transfer-encoding: chunked\r\n\r\n${bytes.length.toString(16)}\r\n`, bytes, "\r\n"],
    ];
    for (const parts of starts) {
      const connection = await sendRaw(port, ...parts);
      const files = () => filesBelow(folder);
      assert(await eventually(async () => (await files()).length === 1), "no upload began");
      connection.close();
      assert(await eventually(async () => (await files()).length === 0), String(await files()));
    }
  });
});

Deno.test("a wrong header is answered while the client still sends", async () => {
  await served(async ({ port, folder }) => {
    const hole = safetensorsBytes(
      '{"w":{"dtype":"U8","shape":[4],"data_offsets":[1,5]}}',
      100_000,
    );
    const connection = await sendRaw(port, `${HEAD}content-length: 900000000\r\n\r\n`, hole);
    const answer = await readUntil(connection, "}");
    connection.close();
    assertMatch(answer, /^HTTP\/1.1 422 [^]*\/problems\/invalid-checkpoint/);
    assert(await eventually(async () => (await filesBelow(folder)).length === 0));
    const large = await sendRaw(port, `${HEAD}content-length: 1000000001\r\n\r\n`, hole);
    assertMatch(await readUntil(large, "}"), /^HTTP\/1.1 413 [^]*\/problems\/too-large/);
    large.close();
  });
});

Deno.test("a client that stops reading a download lets the checkpoint go", async () => {
  await served(async ({ port, url, store }) => {
    const bytes = smallCheckpoint(40 << 20);
    const { id }: Manifest = await (await fetch(url, { method: "POST", body: bytes })).json();
    const connection = await sendRaw(port, `GET /checkpoints/${id} HTTP/1.1\r\nhost: x\r\n\r\n`);
    await readUntil(connection, "\r\n\r\n");
    assertEquals(store.leases.inUse(id), true);
    connection.close();
    assert(await eventually(() => !store.leases.inUse(id)), "the checkpoint is still in use");
    assertEquals((await fetch(`${url}/${id}`, { method: "DELETE" })).status, 204);
  });
});

Deno.test("over the wire: lengths of whole, partial and HEAD answers, and the bytes", async () => {
  await served(async ({ port, url }) => {
    const bytes = smallCheckpoint(3_000_000);
    const { id }: Manifest = await (await fetch(url, { method: "POST", body: bytes })).json();
    const whole = await fetch(`${url}/${id}`);
    assertEquals(whole.headers.get("content-length"), String(bytes.length));
    assertEquals(await whole.bytes(), bytes);
    const head = await sendRaw(
      port,
      `HEAD /checkpoints/${id} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`,
    );
    const answer = await readUntil(head, "never");
    head.close();
    assertMatch(answer, new RegExp(`^HTTP/1.1 200 [^]*content-length: ${bytes.length}\r\n`));
    assertMatch(answer, /\r\n\r\n$/);
    const range = { range: "bytes=5-2500000" };
    const part = await fetch(`${url}/${id}`, { headers: range });
    assertEquals([part.status, part.headers.get("content-length")], [206, "2499996"]);
    assertEquals(await part.bytes(), bytes.slice(5, 2_500_001));
  });
});

Deno.test("an upload of 256 MiB needs no memory of its size", async () => {
  await served(async ({ url }) => {
    const size = 256 << 20;
    const { header, byteLength } = layoutSafetensors(
      [{ name: "w", dtype: "U8", shape: [size] }],
      {},
    );
    const piece = new Uint8Array(1 << 20);
    let sent = 0;
    let highest = 0;
    const before = Deno.memoryUsage().rss;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (sent === 0) controller.enqueue(header);
        if (sent === size) return controller.close();
        controller.enqueue(piece);
        sent += piece.length;
        highest = Math.max(highest, Deno.memoryUsage().rss);
      },
    });
    const manifest: Manifest = await (await fetch(url, { method: "POST", body })).json();
    assertEquals([manifest.bytes, manifest.parameters], [byteLength, size]);
    const grown = (highest - before) / (1 << 20);
    // Tests that run at the same time share the process, and have been seen to add 116 MiB; a body that
    // is held whole adds 256 or more.
    assert(grown < 192, `${grown.toFixed()} MiB more`);
  });
});
