import { assert, assertEquals, assertRejects } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { entries, set, setMany, type UseStore } from "idb-keyval";
import { sqliteTable } from "../../core/host/sqlite_table.ts";
import { tableStore } from "../../core/store/table_store.ts";
import { caughtProblem } from "../support/caught_problem.ts";
import { inFolder } from "../support/temporary_folder.ts";

Deno.test("records are there after reopening, closed or not", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/records.sqlite`;
    const first = sqliteTable(path);
    await set("a", { n: 1 }, tableStore(first));
    first.close();
    const second = sqliteTable(path);
    await set("b", [2], tableStore(second));
    // A process that ends without a word leaves the file like this.
    const third = sqliteTable(path);
    assertEquals(await entries(tableStore(third)), [["a", { n: 1 }], ["b", [2]]]);
    second.close();
    third.close();
  });
});

Deno.test("every write is answered once SQLite's log is on the disk, many by one flush", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/records.sqlite`;
    const { syncData } = Deno.FsFile.prototype;
    const begun: PromiseWithResolvers<void>[] = [];
    Deno.FsFile.prototype.syncData = function () {
      const flush = Promise.withResolvers<void>();
      begun.push(flush);
      return Promise.all([syncData.call(this), flush.promise]).then(() => {});
    };
    try {
      const { table, database } = openWithDatabase(path);
      const NORMAL = 1;
      assertEquals(database.prepare("PRAGMA journal_mode").get()?.journal_mode, "wal");
      assertEquals(database.prepare("PRAGMA synchronous").get()?.synchronous, NORMAL);
      const store = tableStore(table);
      let answered = 0;
      const writes = ["a", "b", "c"].map((key) => set(key, 1, store).then(() => answered++));
      await entriesAre(store, 3);
      // The first flush may have begun before the others were written: they share the second.
      assertEquals([answered, begun.length], [0, 1]);
      begun[0]!.resolve();
      await writes[0];
      while (begun.length < 2) await pause();
      assertEquals(answered, 1);
      begun[1]!.resolve();
      await Promise.all(writes);
      assertEquals([answered, begun.length], [3, 2]);
      const last = set("d", 1, store);
      const settled = store.settled().then(table.close);
      while (begun.length < 3) await pause();
      begun[2]!.resolve();
      await last;
      await settled;
    } finally {
      Deno.FsFile.prototype.syncData = syncData;
    }
  });
});

Deno.test("a write fails whose log cannot be flushed", async () => {
  await inFolder(async (folder) => {
    const { syncData } = Deno.FsFile.prototype;
    Deno.FsFile.prototype.syncData = () => Promise.reject(new Error("the disk is gone"));
    try {
      const table = sqliteTable(`${folder}/records.sqlite`);
      const store = tableStore(table);
      await assertRejects(() => set("a", 1, store), Error, "the disk is gone");
      await store.settled();
      table.close();
    } finally {
      Deno.FsFile.prototype.syncData = syncData;
    }
  });
});

const pause = () => new Promise((go) => setTimeout(go, 1));

async function entriesAre(store: UseStore, count: number): Promise<void> {
  while ((await entries(store)).length < count) await pause();
}

Deno.test("a full disk is a problem of its own, and leaves nothing of the transaction", async () => {
  const { table, database } = openWithDatabase(":memory:");
  database.exec("PRAGMA max_page_count = 20");
  const store = tableStore(table);
  await set("a", 1, store);
  // SQLite rolls back by itself here; what follows must not become a transaction of its own.
  const large = new Uint8Array(200_000);
  const problem = await caughtProblem(() => setMany([["b", 2], ["c", large], ["d", 4]], store));
  assertEquals(problem.kind, "insufficient-storage");
  assertEquals(await entries(store), [["a", 1]]);
  await set("e", 5, store);
  assertEquals(await entries(store), [["a", 1], ["e", 5]]);
  table.close();
});

/** A table and the database below it, which the table keeps to itself. */
function openWithDatabase(path: string) {
  let database: DatabaseSync | undefined;
  const { exec } = DatabaseSync.prototype;
  DatabaseSync.prototype.exec = function (sql) {
    database = this;
    return exec.call(this, sql);
  };
  try {
    const table = sqliteTable(path);
    assert(database);
    return { table, database };
  } finally {
    DatabaseSync.prototype.exec = exec;
  }
}
