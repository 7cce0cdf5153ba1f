import { assertEquals, assertRejects } from "@std/assert";
import { set } from "idb-keyval";
import { hostHasher } from "../../core/host/hasher.ts";
import { Problem } from "../../core/problem.ts";
import type { BlobId } from "../../core/store/blobs.ts";
import { collectOrphans } from "../../core/store/collect_orphans.ts";
import { createLeases } from "../../core/store/leases.ts";
import { opfsBlobs } from "../../core/store/opfs_blobs.ts";
import type { OriginFolder } from "../../core/store/origin_files.ts";
import { memoryTable, tableStore } from "../../core/store/table_store.ts";
import { originFolder } from "../support/origin_folder.ts";

const MiB = 1 << 20;

function openStore(folder: OriginFolder, process: string, living: readonly string[] = []) {
  const lives = (name: string) => Promise.resolve(living.includes(name));
  return opfsBlobs({ folder, makeHasher: hostHasher, process, lives });
}

async function namesOf(folder: OriginFolder, name: string): Promise<string[]> {
  const names: string[] = [];
  for await (const each of (await folder.getDirectoryHandle(name)).keys()) names.push(each);
  return names;
}

Deno.test("a full browser is a problem in words, and nothing of the blob stays", async () => {
  const { folder, room } = originFolder(3 * MiB);
  const blobs = await openStore(folder, "one");
  const kept = await blobs.create();
  await kept.write(new Uint8Array(MiB));
  const { id } = await kept.commit();
  const writer = await blobs.create();
  const problem = await assertRejects(async () => {
    for (let i = 0; i < 4; i++) await writer.write(new Uint8Array(MiB).fill(i));
    await writer.commit();
  }, Problem);
  assertEquals(problem.kind, "insufficient-storage");
  assertEquals([room.used, room.handles], [MiB, 0]);
  assertEquals([await namesOf(folder, "tmp"), await blobs.list()], [[], [id]]);
});

Deno.test("the files of ended processes are removed, those of living ones are not", async () => {
  const { folder } = originFolder();
  const writer = await (await openStore(folder, "living")).create();
  await writer.write(new Uint8Array(2 * MiB));
  const temporary = await folder.getDirectoryHandle("tmp");
  await temporary.getFileHandle("ended.half-written", { create: true });
  const all = await namesOf(folder, "tmp");
  assertEquals(all.length, 2);
  await openStore(folder, "next", ["living"]);
  assertEquals(await namesOf(folder, "tmp"), all.filter((name) => name.startsWith("living.")));
  assertEquals((await writer.commit()).bytes, 2 * MiB);
});

Deno.test("a file that was cut short under a digest's name is replaced", async () => {
  const { folder } = originFolder();
  const blobs = await openStore(folder, "one");
  const first = await blobs.create();
  await first.write(Uint8Array.of(1, 2, 3));
  const { id } = await first.commit();
  const place = await folder.getDirectoryHandle("blobs");
  const name = id.slice("sha256:".length);
  await place.removeEntry(name);
  const short = await (await place.getFileHandle(name, { create: true })).createSyncAccessHandle();
  short.write(Uint8Array.of(1), { at: 0 });
  short.close();
  const again = await blobs.create();
  await again.write(Uint8Array.of(1, 2, 3));
  assertEquals(await again.commit(), { id, bytes: 3, created: true });
  assertEquals([...await (await blobs.open(id))!.slice(0, 3)], [1, 2, 3]);
});

Deno.test("a removed blob that is still read goes with its last reader, or comes back with the same bytes", async () => {
  const { folder } = originFolder();
  const blobs = await openStore(folder, "one");
  const keep = async () => {
    const writer = await blobs.create();
    await writer.write(Uint8Array.of(1, 2, 3));
    return await writer.commit();
  };
  const { id } = await keep();
  const [first, second] = [await blobs.open(id), await blobs.open(id)];
  assertEquals(await blobs.remove(id), true);
  first?.close?.();
  first?.close?.();
  assertEquals([...await second!.slice(0, 3)], [1, 2, 3]);
  assertEquals([await blobs.list(), (await namesOf(folder, "blobs")).length], [[], 1]);
  second?.close?.();
  await Promise.resolve();
  assertEquals(await namesOf(folder, "blobs"), []);
  await keep();
  const third = await blobs.open(id);
  await blobs.remove(id);
  assertEquals(await keep(), { id, bytes: 3, created: true });
  third?.close?.();
  assertEquals(await blobs.list(), [id]);
});

Deno.test("blobs that no record names are collected, also not one whose record comes meanwhile", async () => {
  const { folder } = originFolder();
  const blobs = await openStore(folder, "one");
  const records = tableStore(memoryTable());
  const ids: BlobId[] = [];
  for (const byte of [1, 2, 3]) {
    const writer = await blobs.create();
    await writer.write(Uint8Array.of(byte));
    ids.push((await writer.commit()).id);
  }
  const [named, orphan, late] = ids;
  await set("job/1", { request: { body: named }, serial: 1n }, records);
  const leases = createLeases(blobs);
  const release = Promise.withResolvers<void>();
  // Another tab keeps the bytes and is about to write their record.
  const keeping = leases.alone(late!, async () => {
    await release.promise;
    await set("checkpoint/late", { id: late }, records);
  });
  const collected = collectOrphans({ blobs, records, leases });
  release.resolve();
  await Promise.all([keeping, collected]);
  assertEquals(await blobs.list(), [named!, late!].sort());
  assertEquals(await blobs.size(orphan!), undefined);
});
