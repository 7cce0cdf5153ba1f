import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { fileBlobs } from "../../core/host/file_blobs.ts";
import { hostHasher } from "../../core/host/hasher.ts";
import { caughtProblem } from "../support/caught_problem.ts";
import { digestId } from "../support/stored_checkpoint.ts";
import { filesBelow, inFolder } from "../support/temporary_folder.ts";

const CONTENT = new Uint8Array(10_000).map((_, i) => (i * 31 + (i >> 8)) & 0xff);
/** More than one write of the writer. */
const LARGE = new Uint8Array(2_500_000).map((_, i) => (i * 7 + (i >> 11)) & 0xff);
const ID = await digestId(CONTENT);
const HEX = ID.slice("sha256:".length);
const PATH = `blobs/sha256/${HEX.slice(0, 2)}/${HEX}`;

const open = (folder: string) => fileBlobs({ folder, makeHasher: hostHasher });

Deno.test("a blob is one file named by its digest, and nothing temporary is left", async () => {
  await inFolder(async (folder) => {
    const blobs = await open(folder);
    const writer = await blobs.create();
    await writer.write(CONTENT);
    await writer.seal();
    await writer.commit();
    assertEquals(await filesBelow(folder), [PATH]);
    assertEquals(await Deno.readFile(`${folder}/${PATH}`), CONTENT);

    const again = await blobs.create();
    await again.write(CONTENT);
    assertEquals((await again.commit()).created, false);
    const dropped = await blobs.create();
    await dropped.write(CONTENT);
    await dropped.written();
    await dropped.abort();
    assertEquals(await filesBelow(folder), [PATH]);
    assertEquals([await (await open(folder)).list(), await blobs.size(ID)], [[ID], 10_000]);
  });
});

Deno.test("a blob gets a file once it is larger than a write, or stays", async () => {
  await inFolder(async (folder) => {
    const blobs = await open(folder);
    const small = await blobs.create();
    await small.write(CONTENT);
    const early = await small.written();
    await small.write(CONTENT);
    assertEquals(await early.slice(0, early.byteLength), CONTENT);
    const { id, source } = await small.seal();
    const twice = new Uint8Array([...CONTENT, ...CONTENT]);
    assertEquals([id, await source.slice(0, 20_000)], [await digestId(twice), twice]);
    assertEquals(await filesBelow(folder), []);
    await small.abort();
    await assertRejects(() => source.slice(0, 1), RangeError, "closed");
    await assertRejects(() => small.commit(), TypeError, "ended");
    assertEquals(await filesBelow(folder), []);

    const large = await blobs.create();
    await large.write(LARGE);
    const [unfinished, ...more] = await filesBelow(folder);
    assertEquals([unfinished?.startsWith("tmp/"), more], [true, []]);
    // What is there so far stays as it was, whatever comes.
    const half = await large.written();
    await large.write(CONTENT);
    assertEquals(await half.slice(LARGE.length - 3, LARGE.length), LARGE.slice(-3));
    await large.abort();
    assertEquals(await filesBelow(folder), []);
  });
});

Deno.test("a source of what is gathered outlives the write that makes the file", async () => {
  await inFolder(async (folder) => {
    const blobs = await open(folder);
    const writer = await blobs.create();
    await writer.write(CONTENT);
    const early = await writer.written();
    await writer.write(LARGE);
    assertEquals(await early.slice(0, early.byteLength), CONTENT);
    await writer.commit();
    const whole = new Uint8Array([...CONTENT, ...LARGE]);
    assertEquals(await blobs.list(), [await digestId(whole)]);
  });
});

Deno.test("the file is flushed to the disk before its name appears, sealed or not", async () => {
  await inFolder(async (folder) => {
    const blobs = await open(folder);
    const events: string[] = [];
    const { sync } = Deno.FsFile.prototype;
    const { rename } = Deno;
    Deno.FsFile.prototype.sync = function () {
      events.push("sync");
      return sync.call(this);
    };
    const spy: typeof Deno.rename = (from, to) => {
      events.push("rename");
      return rename(from, to);
    };
    Object.defineProperty(Deno, "rename", { value: spy, configurable: true, writable: true });
    try {
      for (const sealed of [true, false]) {
        const writer = await blobs.create();
        await writer.write(CONTENT.subarray(sealed ? 1 : 2));
        if (sealed) await writer.seal();
        await writer.commit();
        // The file; then the folders, which hold the name.
        assertEquals(events.splice(0), ["sync", "rename", "sync", "sync"]);
      }
    } finally {
      Deno.FsFile.prototype.sync = sync;
      Object.defineProperty(Deno, "rename", { value: rename, configurable: true, writable: true });
    }
  });
});

/** A process of its own that writes a blob until it is killed. */
async function writingProcess(folder: string) {
  const modules = ["file_blobs.ts", "hasher.ts"].map((name) =>
    JSON.stringify(new URL(`../../core/host/${name}`, import.meta.url).href)
  );
  const code = `
    const { fileBlobs } = await import(${modules[0]});
    const { hostHasher } = await import(${modules[1]});
    const blobs = await fileBlobs({ folder: Deno.args[0], makeHasher: hostHasher });
    const writer = await blobs.create();
    await writer.write(new Uint8Array(2_000_000));
    console.log("writes");
    await Deno.stdin.read(new Uint8Array(1));
    await writer.abort();
  `;
  const process = new Deno.Command(Deno.execPath(), {
    args: ["eval", code, folder],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const output = process.stdout.getReader();
  await output.read();
  return {
    async kill() {
      process.kill("SIGKILL");
      await process.status;
      await output.cancel();
      await process.stdin.close().catch(() => {});
    },
  };
}

Deno.test("opening removes what a killed process left, whatever the clock says, and nothing that is being written", async () => {
  await inFolder(async (folder) => {
    const first = await open(folder);
    const writer = await first.create();
    await writer.write(LARGE);
    const other = await writingProcess(folder);
    const temporary = async () => (await filesBelow(`${folder}/tmp`)).length;
    // Older than this process, as after a clock that was set back.
    for (const name of await filesBelow(`${folder}/tmp`)) {
      await Deno.utime(`${folder}/tmp/${name}`, 1e9, 1e9);
    }
    await open(folder);
    assertEquals(await temporary(), 2);
    await other.kill();
    // Younger than this process, as before a clock that was set back.
    for (const name of await filesBelow(`${folder}/tmp`)) {
      await Deno.utime(`${folder}/tmp/${name}`, 4e9, 4e9);
    }
    const last = await open(folder);
    assertEquals(await temporary(), 1);
    assertEquals((await writer.commit()).created, true);
    assertEquals(await last.list(), [await digestId(LARGE)]);
  });
});

Deno.test("a file cut short under a blob's name is replaced by the next upload", async () => {
  await inFolder(async (folder) => {
    const blobs = await open(folder);
    const keep = async () => {
      const writer = await blobs.create();
      await writer.write(CONTENT);
      return await writer.commit();
    };
    await keep();
    await Deno.truncate(`${folder}/${PATH}`, 5000);
    assertEquals((await keep()).created, true);
    assertEquals(await Deno.readFile(`${folder}/${PATH}`), CONTENT);
  });
});

Deno.test("names that are no digests are not listed", async () => {
  await inFolder(async (folder) => {
    const blobs = await open(folder);
    await Deno.mkdir(`${folder}/blobs/sha256/ab`);
    await Deno.writeTextFile(`${folder}/blobs/sha256/ab/readme`, "");
    await Deno.writeTextFile(`${folder}/blobs/sha256/stray`, "");
    assertEquals(await blobs.list(), []);
  });
});

Deno.test({
  name: "a full disk is a problem of its own, and leaves nothing",
  // Other systems have no device that is always full.
  ignore: Deno.build.os !== "linux",
  async fn() {
    await inFolder(async (folder) => {
      const blobs = await open(folder);
      for (const size of [100, 3 << 20]) {
        const writer = await blobs.create();
        const problem = await caughtProblem(() =>
          withFullDisk(async () => {
            for (let i = 0; i < 3; i++) await writer.write(new Uint8Array(size));
            await writer.commit();
          })
        );
        assertEquals(problem.kind, "insufficient-storage");
        assertStringIncludes(problem.message, "disk is full");
        assert(!JSON.stringify([problem.message, problem.members]).includes(folder));
        await assertRejects(() => writer.commit());
        await writer.abort();
        assertEquals(await filesBelow(folder), []);
      }
    });
  },
});

/** Lets files that are made meanwhile write to a disk without space. */
async function withFullDisk<T>(run: () => Promise<T>): Promise<T> {
  const { open } = Deno;
  const full: typeof Deno.open = async (path, options) => {
    if (!options?.createNew) return await open(path, options);
    (await open(path, options)).close();
    return await open("/dev/full", { write: true });
  };
  Object.defineProperty(Deno, "open", { value: full, configurable: true, writable: true });
  try {
    return await run();
  } finally {
    Object.defineProperty(Deno, "open", { value: open, configurable: true, writable: true });
  }
}
