import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import type { Bytes } from "../../core/checkpoint/byte_source.ts";
import { layoutSafetensors } from "../../core/checkpoint/write_safetensors.ts";
import { fileBlobs } from "../../core/host/file_blobs.ts";
import { hostHasher } from "../../core/host/hasher.ts";
import {
  type CheckpointStore,
  removeCheckpoint,
  storeCheckpoint,
  type StoreOptions,
} from "../../core/store/checkpoints.ts";
import type { BlobStore } from "../../core/store/blobs.ts";
import { createLeases } from "../../core/store/leases.ts";
import { getManifest, listManifests } from "../../core/store/records.ts";
import { caughtProblem } from "../support/caught_problem.ts";
import { safetensorsBytes } from "../support/safetensors_bytes.ts";
import {
  checkpointStore,
  digestId,
  inPieces,
  smallCheckpoint,
} from "../support/stored_checkpoint.ts";
import { filesBelow, inFolder } from "../support/temporary_folder.ts";

/** Runs with stores of both kinds; the second argument answers what lies in them, temporary files too. */
async function everywhere(
  run: (store: CheckpointStore, kept: () => Promise<readonly unknown[]>) => Promise<void>,
): Promise<void> {
  const memory = checkpointStore();
  await run(memory, () => listAll(memory));
  await inFolder(async (folder) => {
    const store = checkpointStore(await fileBlobs({ folder, makeHasher: hostHasher }));
    await run(store, async () => {
      const files = await filesBelow(folder);
      return [...await listAll(store), ...files.filter((path) => path.startsWith("tmp/"))];
    });
  });
}

async function listAll(store: CheckpointStore): Promise<unknown[]> {
  const { items } = await listManifests(store.records, { limit: 100 });
  return [...items, ...await store.blobs.list()];
}

Deno.test("a checkpoint is stored with its manifest, once", async () => {
  await everywhere(async (store) => {
    const { header, byteLength } = layoutSafetensors([
      { name: "a", dtype: "F32", shape: [3, 5] },
      { name: "b", dtype: "BF16", shape: [] },
      { name: "c", dtype: "I64", shape: [0, 7] },
    ], { kind: "task_vector" });
    const bytes = new Uint8Array(byteLength);
    bytes.set(header);
    const id = await digestId(bytes);
    const digest = Uint8Array.fromHex(id.slice(7));
    const before = new Date().toISOString();
    const first = await storeCheckpoint(store, inPieces(bytes, 13), {
      digest,
      length: byteLength,
      maximum: byteLength,
    });
    const { created, ...rest } = first.manifest;
    assertEquals(rest, { id, bytes: byteLength, kind: "task_vector", tensors: 3, parameters: 16 });
    assert(before <= created && created <= new Date().toISOString());
    assertEquals(first.created, true);
    const again = await storeCheckpoint(store, inPieces(bytes, 1000));
    assertEquals(again, { manifest: first.manifest, created: false });
    assertEquals(await getManifest(store.records, id), first.manifest);
    const source = await store.leases.open(id);
    assertEquals(await source?.slice(0, byteLength), bytes);
    source?.close?.();
  });
});

Deno.test("whatever is refused leaves nothing behind", async () => {
  const good = smallCheckpoint(200_000);
  const { length } = good;
  const hole = safetensorsBytes('{"w":{"dtype":"U8","shape":[4],"data_offsets":[1,5]}}', 5);
  const dtype = safetensorsBytes('{"w":{"dtype":"Q4","shape":[4],"data_offsets":[0,4]}}', 4);
  const zip = new TextEncoder().encode(`PK\x03\x04${" ".repeat(100)}`);
  const cases: readonly [Bytes, StoreOptions, string, string][] = [
    [good.slice(0, -1), {}, "invalid-checkpoint", "must end inside the file"],
    [good.slice(0, 100_000), { length }, "invalid-request", `${length} announced bytes`],
    [new Uint8Array([...good, 0]), { length }, "invalid-request", `more than ${length}`],
    [new Uint8Array([...good, 0]), {}, "invalid-checkpoint", "must end with its last tensor"],
    [good, { maximum: length - 1 }, "too-large", `at most ${length - 1} bytes`],
    [good, { length, maximum: length - 1 }, "too-large", `current value is ${length}`],
    [good, { digest: new Uint8Array(32) }, "invalid-request", await digestId(good)],
    [hole, {}, "invalid-checkpoint", "must begin at byte"],
    [hole, { length: hole.length }, "invalid-checkpoint", "must begin at byte"],
    [dtype, {}, "unsupported-dtype", "Q4"],
    [zip, {}, "unsupported-format", "zip archive"],
    [new Uint8Array(), {}, "invalid-checkpoint", "at least 8 bytes"],
    [new Uint8Array(), { length: 0 }, "invalid-checkpoint", "at least 8 bytes"],
  ];
  await everywhere(async (store, kept) => {
    for (const [bytes, options, kind, text] of cases) {
      const problem = await caughtProblem(() =>
        storeCheckpoint(store, inPieces(bytes, 30_000), options)
      );
      assertEquals(problem.kind, kind);
      assertStringIncludes(problem.message, text);
      assertEquals(await kept(), []);
    }
  });
});

Deno.test("a source that fails or an abort leaves nothing behind", async () => {
  const good = smallCheckpoint(200_000);
  await everywhere(async (store, kept) => {
    async function* broken() {
      yield* inPieces(good.subarray(0, 100_000), 10_000);
      throw new Error("connection lost");
    }
    await assertRejects(() => storeCheckpoint(store, broken()), Error, "connection lost");
    assertEquals(await kept(), []);
    for (const piece of [3, 19]) {
      const controller = new AbortController();
      let count = 0;
      const chunks = async function* () {
        for await (const chunk of inPieces(good, 10_100)) {
          if (++count === piece) controller.abort(new Error("enough"));
          yield chunk;
        }
      };
      const { signal } = controller;
      await assertRejects(() => storeCheckpoint(store, chunks(), { signal }), Error, "enough");
      assertEquals(await kept(), []);
    }
  });
});

Deno.test("a wrong header is refused before the rest has arrived", async () => {
  const hole = '{"w":{"dtype":"U8","shape":[4],"data_offsets":[1,5]}}';
  const wide = JSON.stringify({
    __metadata__: { note: "x".repeat(100_000) },
    w: { dtype: "U8", shape: [4], data_offsets: [1, 5] },
  });
  const cases: readonly [Bytes, number | undefined, number][] = [
    [safetensorsBytes(hole, 0), 1e9, 65536],
    [safetensorsBytes(wide, 0), 1e9, 110_000],
    [safetensorsBytes("", 0, 10n ** 12n), undefined, 65536],
    [new TextEncoder().encode("GGUF") as Bytes, undefined, 65536],
  ];
  const zeros = new Uint8Array(10_000);
  await everywhere(async (store, kept) => {
    for (const [start, length, latest] of cases) {
      let sent = 0;
      const endless = async function* () {
        for await (const chunk of inPieces(start, 10_000)) {
          sent += chunk.length;
          yield chunk;
        }
        for (; sent < 1e6; sent += zeros.length) yield zeros;
      };
      const problem = await caughtProblem(() =>
        storeCheckpoint(store, endless(), length === undefined ? {} : { length })
      );
      assert(["invalid-checkpoint", "unsupported-format"].includes(problem.kind), problem.message);
      assert(sent <= latest + zeros.length, `${sent} bytes were read`);
      assertEquals(await kept(), []);
    }
  });
});

Deno.test("a checkpoint in use is not removed; later it is, manifest and bytes", async () => {
  await everywhere(async (store, kept) => {
    const { manifest: { id } } = await storeCheckpoint(store, inPieces(smallCheckpoint(10), 9));
    const source = await store.leases.open(id);
    const conflict = await caughtProblem(() => removeCheckpoint(store, id));
    assertEquals(conflict.kind, "conflict");
    assertStringIncludes(conflict.message, "in use");
    assertEquals((await kept()).length, 2);
    source?.close?.();
    await removeCheckpoint(store, id);
    assertEquals(await kept(), []);
    assertEquals((await caughtProblem(() => removeCheckpoint(store, id))).kind, "not-found");
  });
});

Deno.test("storing what is being removed never leaves bytes or manifest alone", async () => {
  const bytes = smallCheckpoint(1000);
  await everywhere(async ({ blobs, records }, kept) => {
    const gate = Promise.withResolvers<void>();
    const slow: BlobStore = { ...blobs, remove: (id) => gate.promise.then(() => blobs.remove(id)) };
    const store = { blobs: slow, records, leases: createLeases(slow) };
    const { manifest: { id } } = await storeCheckpoint(store, inPieces(bytes, 300));
    const removed = removeCheckpoint(store, id);
    const stored = storeCheckpoint(store, inPieces(bytes, 300));
    await new Promise((resolve) => setTimeout(resolve, 20));
    gate.resolve();
    await removed;
    assertEquals((await stored).created, true);
    assertEquals((await kept()).length, 2);
  });
});

Deno.test("bytes whose manifest was lost get one with the next upload", async () => {
  await everywhere(async (store) => {
    const bytes = smallCheckpoint(10);
    const writer = await store.blobs.create();
    await writer.write(bytes);
    const { id } = await writer.commit();
    const { manifest, created } = await storeCheckpoint(store, inPieces(bytes, 100));
    assertEquals([manifest.id, created], [id, false]);
    assertEquals(await getManifest(store.records, id), manifest);
  });
});
