import { assert, assertEquals } from "@std/assert";
import { type ByteSource } from "../../core/checkpoint/byte_source.ts";
import { createReadAhead } from "../../core/checkpoint/read_ahead.ts";
import { createSegmentMemory } from "../../core/checkpoint/segment_memory.ts";
import { createSpill, type SpillFile } from "../../core/checkpoint/spill.ts";
import { openSpillFile } from "../../core/host/spill_file.ts";
import { inFolder } from "../support/temporary_folder.ts";

const SIZE = 1000;
const CONTENT = new Uint8Array(20_500).map((_, i) => (i * 31 + (i >> 8)) & 0xff);

/** A file in memory that tells what was done. */
function memoryFile(faults: { write?: boolean; read?: boolean } = {}) {
  const places = new Map<number, Uint8Array>();
  const done = { opened: 0, written: 0, read: 0, closed: 0 };
  const file: SpillFile = {
    async write(place, bytes) {
      await new Promise((go) => setTimeout(go, 1));
      if (faults.write) throw new Error("the disk is full");
      done.written++;
      places.set(place, bytes.slice());
    },
    read(place, target) {
      if (faults.read) return Promise.reject(new Error("the disk is gone"));
      done.read++;
      target.set(places.get(place)!.subarray(0, target.length));
      return Promise.resolve();
    },
    close: () => void done.closed++,
  };
  const open = () => {
    done.opened++;
    return Promise.resolve(file);
  };
  return { open, done, places };
}

/** A source that counts the bytes that it is asked for. */
function counted(): ByteSource & { asked: () => number } {
  let asked = 0;
  return {
    byteLength: CONTENT.length,
    slice(start, end) {
      asked += end - start;
      return Promise.resolve(CONTENT.slice(start, end));
    },
    asked: () => asked,
  };
}

/** Passes over a source of 21 segments with a budget of ten, the last of which drops what it has read. */
async function passes(
  source: ByteSource,
  open: ((size: number) => Promise<SpillFile>) | undefined,
  { limit = 1e6, count = 3 } = {},
) {
  const memory = createSegmentMemory({ size: SIZE, shared: true });
  const ahead = createReadAhead({
    memory,
    budget: 10 * SIZE,
    least: 1,
    ...(open ? { spill: { open, limit } } : {}),
  });
  const read = ahead.over(source);
  for (let pass = 0; pass < count; pass++) {
    const last = pass === count - 1;
    for (let start = 0; start < CONTENT.length; start += 700) {
      const end = Math.min(start + 700, CONTENT.length);
      const held = await read.hold!(start, end, { last });
      const bytes = held.pieces.flatMap((piece) => [...piece]);
      held.release();
      assertEquals(bytes, [...CONTENT.subarray(start, end)]);
    }
  }
  read.close!();
  await new Promise((go) => setTimeout(go, 20));
  assertEquals(memory.lent(), 0);
}

Deno.test("what memory has no room for is asked for once where there is a disk", async () => {
  const without = counted();
  await passes(without, undefined);
  assert(without.asked() > 1.8 * CONTENT.length);
  const source = counted();
  const { open, done } = memoryFile();
  await passes(source, open);
  assertEquals(source.asked(), CONTENT.length);
  assert(done.written > 5 && done.read > done.written);
  assertEquals([done.opened, done.closed], [1, 1]);
});

Deno.test("a disk that fails or is small costs nothing but the requests", async () => {
  for (
    const [faults, limit] of [[{ write: true }, 1e6], [{ read: true }, 1e6], [
      {},
      3 * SIZE,
    ]] as const
  ) {
    const source = counted();
    const { open, places } = memoryFile(faults);
    await passes(source, open, { limit });
    assert(source.asked() > CONTENT.length);
    assert(places.size <= limit / SIZE);
  }
  const refused = () => Promise.reject(new Error("no folder"));
  await passes(counted(), refused);
  const { open, done } = memoryFile();
  await passes(counted(), open, { limit: 0 });
  assertEquals(done.opened, 0);
});

Deno.test("places are used again, and there are no more than the limit has room for", async () => {
  const { open, places } = memoryFile();
  const spill = createSpill({ open, limit: 4 * SIZE }, SIZE);
  const bytes = (value: number) => new Uint8Array(SIZE).fill(value);
  const keep = (value: number) => spill.keep(bytes(value))?.place;
  assertEquals(await Promise.all([1, 2, 3, 4, 5].map(keep)), [0, 1, 2, 3, undefined]);
  spill.free(1);
  assertEquals(await keep(6), 1);
  const target = new Uint8Array(new SharedArrayBuffer(SIZE));
  assert(await spill.read(1, target));
  assertEquals([target[0], places.size], [6, 4]);
  spill.close();
  assertEquals(spill.keep(bytes(7)), undefined);
});

Deno.test("no segment waits for a slow disk, beyond those that are written", async () => {
  const open = async (): Promise<SpillFile> => ({
    ...await memoryFile().open(),
    write: () => new Promise((written) => setTimeout(written, 300)),
  });
  const spill = createSpill({ open, limit: 100 * SIZE }, SIZE);
  const keep = (value: number) => spill.keep(new Uint8Array(SIZE).fill(value))?.place;
  assertEquals(await Promise.all([1, 2, 3, 4].map(keep)), [0, 1, 2, 3]);
  const next = [5, 6, 7, 8].map(keep);
  assertEquals(next.map(Boolean), [true, true, true, false]);
  await Promise.all(next);
  spill.close();
});

Deno.test("what is larger than is read at once comes whole, into memory of any kind", async () => {
  const size = 1_200_000;
  const { open } = memoryFile();
  const spill = createSpill({ open, limit: size }, size);
  const bytes = new Uint8Array(size).map((_, i) => i >> 7);
  assertEquals(await spill.keep(bytes)?.place, 0);
  for (const target of [new Uint8Array(size), new Uint8Array(new SharedArrayBuffer(size))]) {
    assert(await spill.read(0, target));
    assertEquals(target.every((value, i) => value === bytes[i]), true);
  }
  spill.close();
});

Deno.test("a file on the disk keeps its places, has no name, and is gone with its handles", async () => {
  await inFolder(async (folder) => {
    const source = counted();
    let opened: SpillFile | undefined;
    await passes(source, async (size) => opened = await openSpillFile(folder, size));
    assert(opened);
    assertEquals(source.asked(), CONTENT.length);
    assertEquals([...Deno.readDirSync(folder)], []);
    const file = await openSpillFile(folder, 8);
    if (Deno.build.os !== "windows") assertEquals([...Deno.readDirSync(folder)], []);
    await Promise.all([3, 0, 1].map((place) => file.write(place, new Uint8Array(8).fill(place))));
    await Promise.all([0, 1, 3].map(async (place) => {
      const target = new Uint8Array(8);
      await file.read(place, target);
      assertEquals([...target], Array(8).fill(place));
    }));
    const half = new Uint8Array(4);
    await file.read(3, half);
    assertEquals([...half], [3, 3, 3, 3]);
    await file.read(9, new Uint8Array(1)).then(() => assert(false), () => {});
    file.close();
  });
});
