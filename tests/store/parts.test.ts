import { assertEquals } from "@std/assert";
import { fileBlobs } from "../../core/host/file_blobs.ts";
import { hostHasher } from "../../core/host/hasher.ts";
import type { BlobStore, PartMark } from "../../core/store/blobs.ts";
import { memoryBlobs } from "../../core/store/memory_blobs.ts";
import { digestId } from "../support/stored_checkpoint.ts";
import { inFolder } from "../support/temporary_folder.ts";

const BYTES = Uint8Array.from({ length: 3_000_000 }, (_, i) => (i * 31 + (i >> 9)) & 0xff);
const ID = await digestId(BYTES);

/** Both stores; the next one is what a restart makes of the first. */
const STORES: Readonly<
  Record<
    string,
    (run: (first: BlobStore, next: () => Promise<BlobStore>) => Promise<void>) => Promise<void>
  >
> = {
  async memory(run) {
    const blobs = memoryBlobs({ makeHasher: hostHasher });
    await run(blobs, () => Promise.resolve(blobs));
  },
  async files(run) {
    await inFolder(async (folder) => {
      const open = () => fileBlobs({ folder, makeHasher: hostHasher });
      await run(await open(), open);
    });
  },
};

/** Writes to a mark, then more that nobody knows to be whole. */
async function begun(blobs: BlobStore, marked: number, more: number): Promise<PartMark> {
  const writer = await blobs.parts!.open("job");
  await writer.write(BYTES.subarray(0, marked));
  const flushing = writer.flush();
  // While the disk works.
  await writer.write(BYTES.subarray(marked, marked + more));
  const mark = await flushing;
  assertEquals(mark.bytes, marked);
  await writer.leave();
  return mark;
}

for (const [name, within] of Object.entries(STORES)) {
  Deno.test(`${name}: bytes are gone on with behind the mark, to the digest of the whole`, async () => {
    for (const [marked, more] of [[1, 0], [1 << 20, 5], [1_500_000, 1_200_000], [2_999_999, 1]]) {
      await within(async (first, next) => {
        const mark = await begun(first, marked!, more!);
        const blobs = await next();
        assertEquals([await blobs.parts!.names(), await blobs.list()], [["job"], []]);
        const writer = await blobs.parts!.open("job", mark);
        assertEquals(writer.bytes, marked);
        await writer.write(BYTES.subarray(marked));
        assertEquals(await writer.commit(), { id: ID, bytes: BYTES.length, created: true });
        assertEquals([await blobs.parts!.names(), await blobs.list()], [[], [ID]]);
        const source = (await blobs.open(ID))!;
        assertEquals(await digestId(await source.slice(0, source.byteLength)), ID);
        source.close!();
      });
    }
  });

  Deno.test(`${name}: what a mark does not tell of is begun anew`, async () => {
    const wrong: ((mark: PartMark) => PartMark | undefined)[] = [
      () => undefined,
      (mark) => ({ ...mark, sha256: "0".repeat(64) }),
      (mark) => ({ ...mark, bytes: mark.bytes - 1 }),
      (mark) => ({ ...mark, bytes: BYTES.length }),
    ];
    for (const change of wrong) {
      await within(async (first, next) => {
        const mark = change(await begun(first, 100_000, 10));
        const blobs = await next();
        const writer = await blobs.parts!.open("job", mark);
        assertEquals(writer.bytes, 0);
        await writer.write(BYTES);
        assertEquals((await writer.commit()).id, ID);
      });
    }
  });

  Deno.test(`${name}: a part that is removed is gone, also while it is written`, async () => {
    await within(async (first, next) => {
      const mark = await begun(first, 100, 0);
      await first.parts!.remove("job");
      assertEquals(await (await next()).parts!.names(), []);
      const writer = await first.parts!.open("job", mark);
      assertEquals(writer.bytes, 0);
      await writer.write(BYTES);
      await first.parts!.remove("job");
      await writer.leave();
      assertEquals(await (await next()).parts!.names(), []);
      await first.parts!.remove("job");
    });
  });
}

Deno.test("a memory store counts what parts hold, and frees it with them", async () => {
  const blobs = memoryBlobs({ makeHasher: hostHasher, limit: 1000 });
  const fill = async (bytes: number) => {
    const writer = await blobs.create();
    const fits = await writer.write(new Uint8Array(bytes)).then(() => true, () => false);
    await writer.abort();
    return fits;
  };
  const parts = blobs.parts!;
  const writer = await parts.open("job");
  await writer.write(BYTES.subarray(0, 600));
  const mark = await writer.flush();
  await writer.write(BYTES.subarray(600, 700));
  await writer.leave();
  assertEquals([await fill(300), await fill(301)], [true, false]);
  await (await parts.open("job", mark)).leave();
  assertEquals([await fill(400), await fill(401)], [true, false]);
  const again = await parts.open("job", mark);
  await parts.remove("job");
  assertEquals(await fill(401), false);
  await again.leave();
  assertEquals(await fill(1000), true);
  const committed = await parts.open("job");
  await committed.write(BYTES.subarray(0, 10));
  await committed.commit();
  await committed.leave();
  assertEquals([await fill(990), await fill(991)], [true, false]);
});
