import { assert, assertEquals } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { entries, set, setMany } from "idb-keyval";
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

Deno.test("every commit reaches the disk: write-ahead log, full synchronization", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/records.sqlite`;
    const { table, database } = openWithDatabase(path);
    await set("a", 1, tableStore(table));
    assertEquals((await Deno.stat(`${path}-wal`)).isFile, true);
    const FULL = 2;
    assertEquals(database.prepare("PRAGMA synchronous").get()?.synchronous, FULL);
    table.close();
  });
});

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
