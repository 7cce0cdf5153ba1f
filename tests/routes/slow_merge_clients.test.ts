import { assert, assertEquals } from "@std/assert";
import type { ByteSource } from "../../core/checkpoint/byte_source.ts";
import { layoutSafetensors } from "../../core/checkpoint/write_safetensors.ts";
import { hostHasher } from "../../core/host/hasher.ts";
import { memoryBudget } from "../../core/memory_budget.ts";
import type { BlobStore } from "../../core/store/blobs.ts";
import { memoryBlobs } from "../../core/store/memory_blobs.ts";
import { eventually, sendRaw } from "../support/raw_connection.ts";
import { testApp } from "../support/service.ts";

const TENSORS = 32;
const ELEMENTS = 1 << 19;
/** Bytes of an input and of the result. */
const WHOLE = TENSORS * ELEMENTS * 4;
const CLIENTS = 3;

/** A checkpoint of 64 MB. */
function checkpoint(): Uint8Array<ArrayBuffer> {
  const layout = layoutSafetensors(
    Array.from({ length: TENSORS }, (_, i) => ({
      name: `w${i}`,
      dtype: "F32" as const,
      shape: [ELEMENTS],
    })),
    {},
  );
  const bytes = new Uint8Array(layout.byteLength);
  bytes.set(layout.header);
  return bytes;
}

/** A store that counts what is read of it. */
function counted(blobs: BlobStore): { blobs: BlobStore; read: () => number } {
  let read = 0;
  const watched = (source: ByteSource): ByteSource => ({
    ...source,
    slice(start, end, signal) {
      read += end - start;
      return source.slice(start, end, signal);
    },
    ...(source.readInto
      ? {
        readInto(target, start, signal) {
          read += target.length;
          return source.readInto!(target, start, signal);
        },
      }
      : {}),
  });
  const open: BlobStore["open"] = async (id) => {
    const source = await blobs.open(id);
    return source && watched(source);
  };
  return { blobs: { ...blobs, open }, read: () => read };
}

/** Serves, stores the checkpoint, and lets clients ask for its merge with itself. */
async function merging(
  readerStall: number,
  run: (
    service: {
      ask(): Promise<Deno.TcpConn>;
      read(): number;
      held(): boolean;
      memory(): number;
    },
  ) => Promise<void>,
): Promise<void> {
  const { blobs, read } = counted(memoryBlobs({ makeHasher: hostHasher }));
  const memory = memoryBudget(1 << 30, 10_000);
  const made = testApp({
    blobs,
    memory,
    chunkElements: 1 << 16,
    limits: { readerStall, readerRate: 1e9 },
  });
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, made.app.fetch);
  try {
    const stored = await made.app.request("/checkpoints", { method: "POST", body: checkpoint() });
    const { id } = await stored.json();
    const recipe = JSON.stringify({
      merge_method: "linear",
      models: ["a", "b"].map((model) => ({ model, parameters: { weight: 1 } })),
      sources: { a: { checkpoint: id }, b: { checkpoint: id } },
    });
    const request =
      `POST /merge HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${recipe.length}\r\n\r\n${recipe}`;
    await run({
      ask: () => sendRaw(server.addr.port, request),
      read,
      held: () => made.ports.leases.inUse(id),
      memory: memory.taken,
    });
    assertEquals(made.faults, []);
  } finally {
    await server.shutdown();
    await made.close();
  }
}

/** Bytes read in all once no more are for a while. */
async function standstill(read: () => number): Promise<number> {
  for (let last = -1, same = 0; same < 5;) {
    await new Promise((done) => setTimeout(done, 60));
    same = read() === last ? same + 1 : 0;
    last = read();
  }
  return read();
}

Deno.test("a merge stands still for a client that never reads: only what its buffers take is read and made", async () => {
  await merging(60, async ({ ask, read, held, memory }) => {
    const before = read();
    const connections = [];
    for (let i = 0; i < CLIENTS; i++) connections.push(await ask());
    assert(await eventually(held));
    const each = (await standstill(read) - before) / CLIENTS;
    // Two inputs for one result; without back-pressure all of both would be read.
    assert(each > 1 << 20, `only ${each} bytes were read for a client`);
    assert(each < WHOLE / 2, `${each} bytes were read for a client that takes none`);
    assert(memory() > 0);
    for (const connection of connections) connection.close();
    assert(await eventually(() => !held() && memory() === 0), "what they held is not free");
  });
});

Deno.test("a merge for a client that reads a byte now and then ends when its time is over", async () => {
  await merging(0.5, async ({ ask, read, held, memory }) => {
    const before = read();
    const connection = await ask();
    assert(await eventually(held));
    const one = new Uint8Array(1);
    const free = await eventually(async () => {
      await connection.read(one).catch(() => null);
      return !held();
    });
    assert(free, "the merge goes on for it");
    assertEquals(memory(), 0);
    assert(read() - before < WHOLE, "more was read than its buffers take");
    connection.close();
  });
});

Deno.test("a merge whose client goes away at any moment gives everything back", async () => {
  await merging(60, async ({ ask, held, memory }) => {
    for (const wait of [0, 1, 5, 20, 60]) {
      const connection = await ask();
      await new Promise((done) => setTimeout(done, wait));
      connection.close();
    }
    // The earliest ones may not have begun when they went.
    await new Promise((done) => setTimeout(done, 100));
    assert(await eventually(() => !held() && memory() === 0), "something is still held");
  });
});
