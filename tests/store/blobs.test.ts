import { assert, assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { fileBlobs } from "../../core/host/file_blobs.ts";
import { hostHasher } from "../../core/host/hasher.ts";
import { isBlobId } from "../../core/store/blob_id.ts";
import type { BlobStore, BlobWriter } from "../../core/store/blobs.ts";
import { memoryBlobs } from "../../core/store/memory_blobs.ts";
import { opfsBlobs } from "../../core/store/opfs_blobs.ts";
import { originFolder } from "../support/origin_folder.ts";
import { digestId } from "../support/stored_checkpoint.ts";
import { inFolder } from "../support/temporary_folder.ts";

/** The same test over every store. */
function everywhere(name: string, run: (blobs: BlobStore) => Promise<void>): void {
  Deno.test(`memory: ${name}`, () => run(memoryBlobs({ makeHasher: hostHasher })));
  Deno.test(`files: ${name}`, async () => {
    await inFolder(async (folder) => run(await fileBlobs({ folder, makeHasher: hostHasher })));
  });
  Deno.test(`opfs: ${name}`, async () => {
    const { folder, room } = originFolder();
    const lives = () => Promise.resolve(false);
    await run(await opfsBlobs({ folder, makeHasher: hostHasher, process: "test", lives }));
    assertEquals(room.handles, 0);
  });
}

function pattern(count: number, seed = 0): Uint8Array<ArrayBuffer> {
  return new Uint8Array(count).map((_, i) => (i * 31 + (i >> 8) * 7 + (i >> 16) + seed) & 0xff);
}

async function write(blobs: BlobStore, bytes: Uint8Array, size: number): Promise<BlobWriter> {
  const writer = await blobs.create();
  const buffer = new Uint8Array(size);
  for (let at = 0; at < bytes.length; at += size) {
    // One buffer for all chunks, as bodies are read: the store must not hold on to it.
    const part = bytes.subarray(at, at + size);
    buffer.set(part);
    await writer.write(buffer.subarray(0, part.length));
    buffer.fill(0xee);
  }
  return writer;
}

async function keep(blobs: BlobStore, bytes: Uint8Array, size = 65536) {
  return await (await write(blobs, bytes, size)).commit();
}

everywhere("bytes come back under their digest, whatever the size of the chunks", async (blobs) => {
  const MiB = 1 << 20;
  const cases = [[0, 1], [1, 1], [1000, 7], [3 * MiB + 5, MiB], [3 * MiB + 5, 2 * MiB + 1], [
    2 * MiB + 3,
    MiB - 1,
  ], [MiB, 65536]] as const;
  for (const [i, [count, size]] of cases.entries()) {
    const bytes = pattern(count, i);
    const id = await digestId(bytes);
    assert(isBlobId(id));
    assertEquals(await keep(blobs, bytes, size), { id, bytes: count, created: true });
    assertEquals(await blobs.size(id), count);
    const source = await blobs.open(id);
    assert(source);
    assertEquals(source.byteLength, count);
    assertEquals(await source.slice(0, count), bytes);
    assertEquals(await source.slice(count >> 1, count), bytes.slice(count >> 1));
    source.close?.();
    await assertRejects(() => source.slice(0, 0), RangeError, "closed");
  }
  const ids = await Promise.all(cases.map(([count], i) => digestId(pattern(count, i))));
  assertEquals(await blobs.list(), ids.toSorted());
});

everywhere("the same bytes again are one blob, also when written at once", async (blobs) => {
  const bytes = pattern(5000);
  assertEquals((await keep(blobs, bytes)).created, true);
  assertEquals((await keep(blobs, bytes, 123)).created, false);
  const other = pattern(5000, 1);
  const writers = await Promise.all([1, 2, 3].map(() => write(blobs, other, 999)));
  const results = await Promise.all(writers.map((writer) => writer.commit()));
  assertEquals(new Set(results.map(({ id }) => id)).size, 1);
  assert(results.some(({ created }) => created));
  assertEquals((await blobs.list()).length, 2);
  const source = await blobs.open(results[0]!.id);
  assertEquals(await source?.slice(0, 5000), other);
  source?.close?.();
});

everywhere("nothing is visible before commit, nor after abort", async (blobs) => {
  const bytes = pattern(300_000);
  const writer = await write(blobs, bytes, 10_000);
  assertEquals(writer.bytes, 300_000);
  const id = await digestId(bytes);
  const look = async () => [await blobs.list(), await blobs.size(id), await blobs.open(id)];
  assertEquals(await look(), [[], undefined, undefined]);
  const sealed = await writer.seal();
  assertEquals(sealed.id, id);
  assertEquals(await sealed.source.slice(250_000, 300_000), bytes.slice(250_000));
  assertEquals(await look(), [[], undefined, undefined]);
  await writer.abort();
  await writer.abort();
  assertEquals(await look(), [[], undefined, undefined]);
});

everywhere("what is written so far can be read, and writing goes on", async (blobs) => {
  const bytes = pattern(2_500_000);
  const writer = await write(blobs, bytes.subarray(0, 1_200_000), 70_000);
  const early = await writer.written();
  assertEquals(early.byteLength, 1_200_000);
  assertEquals(await early.slice(1_100_000, 1_200_000), bytes.slice(1_100_000, 1_200_000));
  await writer.write(bytes.subarray(1_200_000));
  assertEquals(await early.slice(0, 100), bytes.slice(0, 100));
  early.close?.();
  await writer.seal();
  const { id } = await writer.commit();
  assertEquals(id, await digestId(bytes));
  await writer.abort();
  const source = await blobs.open(id);
  assertEquals(await source?.slice(0, 2_500_000), bytes);
  source?.close?.();
});

everywhere("a removed blob is readable until it is closed", async (blobs) => {
  const bytes = pattern(100_000);
  const { id } = await keep(blobs, bytes);
  const source = await blobs.open(id);
  assert(source);
  assertEquals([await blobs.remove(id), await blobs.remove(id)], [true, false]);
  assertEquals([await blobs.size(id), await blobs.open(id)], [undefined, undefined]);
  assertEquals(await source.slice(50_000, 100_000), bytes.slice(50_000));
  source.close?.();
  assertEquals(await keep(blobs, bytes), { id, bytes: 100_000, created: true });
});

everywhere("writing after the end fails", async (blobs) => {
  const aborted = await write(blobs, pattern(10), 10);
  await aborted.abort();
  await assertRejects(async () => {
    await aborted.write(pattern(1));
    await aborted.commit();
  });
  const kept = await write(blobs, pattern(10), 10);
  const { id } = await kept.commit();
  await assertRejects(async () => {
    await kept.write(pattern(1));
    await kept.commit();
  });
  assertEquals(await blobs.list(), [id]);
});

Deno.test("an id is sha256: and 64 lower-case digits", async () => {
  const id = await digestId(pattern(1));
  assert(isBlobId(id));
  for (const wrong of ["", id.slice(7), id.slice(0, -1), `${id}0`, id.toUpperCase(), `${id}\n`]) {
    assertNotEquals(isBlobId(wrong), true, wrong);
  }
});
