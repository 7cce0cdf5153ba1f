/**
 * Watches every change that the service makes on its disk, and may make any of them fail.
 *
 * Stands between the program and `Deno` / `node:sqlite` for one folder, so that what is tested is the very
 * composition that `main.ts` serves, and every file that a later room writes is watched without a change here.
 *
 * @module
 */
import { DatabaseSync, StatementSync } from "node:sqlite";

/** What kind of change it is. */
export type ChangeName = "open" | "write" | "sync" | "rename" | "remove" | "mkdir" | "sql" | "read";

/** A change (or a read) that is about to happen. */
export interface Change {
  readonly name: ChangeName;
  /** The file, or the SQL statement's first word. */
  readonly what: string;
  /** For a write: performs the first half of it, as a crash in its middle does. */
  readonly half?: () => void;
}

/** What is told of the disk. */
export interface DiskWatch {
  /** Called before each change; throwing makes it fail. */
  before(change: Change): void;
  /** What a power cut would lose now. */
  readonly volatile: Volatile;
  stop(): void;
}

/** What is written but not yet durable. */
export interface Volatile {
  /** Bytes of each file that are on the disk for sure, where later ones are not. */
  readonly files: ReadonlyMap<string, number>;
  /** Names that a rename gave, with the name before. */
  readonly renames: ReadonlyMap<string, string>;
  /** Folders that were made and whose parent was not synced since. */
  readonly folders: ReadonlySet<string>;
}

const SQL_WRITES = /^\s*(BEGIN|COMMIT|ROLLBACK|INSERT|UPDATE|DELETE|CREATE|PRAGMA)/i;

/** Starts watching; one at a time, as it replaces functions of the process. */
export function watchDisk(folder: string, before: (change: Change) => void): DiskWatch {
  const inside = (path: unknown): path is string =>
    typeof path === "string" && path.startsWith(folder);
  const paths = new WeakMap<Deno.FsFile, string>();
  const files = new Map<string, number>();
  const lengths = new Map<string, number>();
  const renames = new Map<string, string>();
  const folders = new Set<string>();
  const synced = (path: string) => {
    if (files.delete(path)) return;
    for (const name of renames.keys()) if (parentOf(name) === path) renames.delete(name);
    for (const name of folders) if (parentOf(name) === path) folders.delete(name);
  };
  const written = (path: string, count: number) => {
    const length = lengths.get(path) ?? 0;
    if (!files.has(path)) files.set(path, length);
    lengths.set(path, length + count);
  };

  const undo: (() => void)[] = [];
  const replace = <T extends object, K extends keyof T>(
    target: T,
    name: K,
    make: (original: T[K]) => T[K],
  ) => {
    const own = Object.getOwnPropertyDescriptor(target, name)!;
    const value = make(own.value as T[K]);
    Object.defineProperty(target, name, { ...own, value });
    undo.push(() => Object.defineProperty(target, name, own));
  };

  replace(Deno, "open", (original) => async (path, options) => {
    if (!inside(path)) return await original(path, options);
    const writes = options?.write === true || options?.append === true;
    if (writes) before({ name: "open", what: path });
    const file = await original(path, options);
    paths.set(file, path);
    if (writes) {
      if (options?.createNew || options?.truncate) lengths.set(path, 0);
      else lengths.set(path, (await file.stat()).size);
      files.set(path, options?.createNew ? 0 : lengths.get(path)!);
    }
    return file;
  });
  replace(Deno, "rename", (original) => async (from, to) => {
    if (!inside(to) || !inside(from)) return await original(from, to);
    before({ name: "rename", what: to });
    await original(from, to);
    const unsynced = files.get(from);
    files.delete(from);
    if (unsynced !== undefined) files.set(to, unsynced);
    renames.set(to, from);
  });
  replace(Deno, "remove", (original) => async (path, options) => {
    if (!inside(path)) return await original(path, options);
    before({ name: "remove", what: path });
    await original(path, options);
    files.delete(path);
    renames.delete(path);
  });
  replace(Deno, "mkdir", (original) => async (path, options) => {
    if (!inside(path)) return await original(path, options);
    before({ name: "mkdir", what: path });
    for (let each = path; each.length > folder.length; each = parentOf(each)) {
      if (!exists(each)) folders.add(each);
    }
    await original(path, options);
  });
  const { prototype } = Deno.FsFile;
  replace(prototype, "writeSync", (original) =>
    function (this: Deno.FsFile, bytes) {
      const path = paths.get(this);
      if (path === undefined) return original.call(this, bytes);
      let at = 0;
      const half = () => {
        at = original.call(this, bytes.subarray(0, bytes.length >> 1));
      };
      before({ name: "write", what: path, half });
      const count = at + original.call(this, bytes.subarray(at));
      written(path, count);
      return count;
    });
  replace(prototype, "write", (original) =>
    async function (this: Deno.FsFile, bytes) {
      const path = paths.get(this);
      if (path !== undefined) before({ name: "write", what: path });
      const count = await original.call(this, bytes);
      if (path !== undefined) written(path, count);
      return count;
    });
  for (const name of ["sync", "syncData"] as const) {
    replace(prototype, name, (original) =>
      async function (this: Deno.FsFile) {
        const path = paths.get(this);
        if (path !== undefined) before({ name: "sync", what: path });
        await original.call(this);
        if (path !== undefined) synced(path);
      });
  }
  replace(prototype, "read", (original) =>
    function (this: Deno.FsFile, bytes) {
      const path = paths.get(this);
      if (path === undefined) return original.call(this, bytes);
      try {
        before({ name: "read", what: path });
      } catch (error) {
        return Promise.reject(error);
      }
      return original.call(this, bytes);
    });
  replace(
    Object.getPrototypeOf(DatabaseSync.prototype) as DatabaseSync,
    "exec",
    (original) =>
      function (this: DatabaseSync, sql) {
        // A read's transaction changes nothing, yet its place in the order is a moment like any other.
        if (SQL_WRITES.test(sql)) before({ name: "sql", what: sql.split(" ")[0]! });
        original.call(this, sql);
      },
  );
  replace(StatementSync.prototype, "run", (original) =>
    function (this: StatementSync, ...values) {
      before({ name: "sql", what: "run" });
      return original.apply(this, values as unknown as Parameters<typeof original>);
    } as typeof original);

  return {
    before,
    volatile: { files, renames, folders },
    stop() {
      for (const each of undo.splice(0).reverse()) each();
    },
  };
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}
