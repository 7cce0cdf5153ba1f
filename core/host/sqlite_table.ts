/**
 * A table of records in SQLite.
 *
 * @module
 */
import { DatabaseSync } from "node:sqlite";
import { deserialize, serialize } from "node:v8";
import { Problem } from "../problem.ts";
import type { Table } from "../store/table_store.ts";

/** SQLite's text for a full disk: Deno's `exec` tells no code. */
const FULL = "database or disk is full";

/**
 * A table in a file (or `:memory:`); every committed transaction survives the end of its process, and one that was
 * flushed a crash of the machine.
 *
 * A commit is written to SQLite's log and not flushed, as that would hold up this thread for milliseconds: `flush` does
 * it beside. The log's check sums tell what of it is whole, whichever of its pages came to the disk first.
 */
export function sqliteTable(path: string): Table & { close(): void } {
  const database = new DatabaseSync(path);
  const log = path === ":memory:" ? undefined : fileFlusher(`${path}-wal`);
  database.exec(
    "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 5000;" +
      "CREATE TABLE IF NOT EXISTS records (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID",
  );
  const select = database.prepare("SELECT value FROM records WHERE key = ?");
  const upsert = database.prepare(
    "INSERT INTO records (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
  );
  const remove = database.prepare("DELETE FROM records WHERE key = ?");
  const keys = database.prepare("SELECT key FROM records ORDER BY key");
  return {
    get(key) {
      const row = select.get(key);
      return row ? deserialize(row.value as Uint8Array) : undefined;
    },
    put: (key, value) => full(() => upsert.run(key, serialize(value))),
    delete: (key) => full(() => remove.run(key)),
    clear: () => full(() => database.exec("DELETE FROM records")),
    keys: () => keys.all().map((row) => String(row.key)),
    begin: (write) => full(() => database.exec(write ? "BEGIN IMMEDIATE" : "BEGIN")),
    commit: () => full(() => database.exec("COMMIT")),
    // On some failures, such as a full disk, SQLite has rolled back by itself.
    rollback: () => {
      if (database.isTransaction) database.exec("ROLLBACK");
    },
    ...(log ? { flush: log.flush } : {}),
    close() {
      log?.close();
      database.close();
    },
  };
}

/** Flushes a file, which is there by the first time; what is asked for while that goes on is done at once afterwards. */
function fileFlusher(path: string) {
  let file: Deno.FsFile | undefined;
  let running: Promise<void> | undefined;
  let next: Promise<void> | undefined;
  const flush = (): Promise<void> => {
    if (!running) {
      file ??= Deno.openSync(path, { read: true, write: true });
      return running = file.syncData().finally(() => running = undefined);
    }
    return next ??= running.catch(() => {}).then(() => {
      next = undefined;
      return flush();
    });
  };
  return {
    flush,
    close() {
      file?.close();
      file = undefined;
    },
  };
}

/** Runs a write; a full disk becomes a problem. */
function full(write: () => unknown): void {
  try {
    write();
  } catch (error) {
    if (!(error instanceof Error) || error.message !== FULL) throw error;
    throw new Problem(
      "insufficient-storage",
      "Cannot keep the record as the disk is full: nothing was kept",
      {},
      error,
    );
  }
}
