/**
 * idb-keyval's `UseStore` over any synchronous table: the little of IndexedDB that idb-keyval uses.
 *
 * @module
 */
import type { UseStore } from "idb-keyval";

/** A table of values by string key. All calls between `begin` and `commit` or `rollback` are one transaction. */
export interface Table {
  get(key: string): unknown;
  put(key: string, value: unknown): void;
  delete(key: string): void;
  clear(): void;
  /** Keys in ascending order. */
  keys(): string[];
  begin(write: boolean): void;
  commit(): void;
  rollback(): void;
}

/** A request or transaction as far as idb-keyval looks at it. */
interface Pending {
  result?: unknown;
  error?: unknown;
  onsuccess?: (() => void) | null;
  onerror?: (() => void) | null;
  oncomplete?: (() => void) | null;
  onabort?: (() => void) | null;
}

/**
 * Gives a table the form that idb-keyval takes. Transactions run one after the other; one whose callback
 * throws, or one of whose requests fails, leaves nothing behind.
 */
export function tableStore(table: Table): UseStore {
  let tail: Promise<unknown> = Promise.resolve();
  return (mode, callback) => {
    const result = tail.then(() => transact(table, mode === "readwrite", callback));
    tail = result.catch(() => {});
    return result;
  };
}

async function transact<T>(
  table: Table,
  write: boolean,
  callback: (store: IDBObjectStore) => T | PromiseLike<T>,
): Promise<T> {
  const transaction: Pending = {};
  let open = 0;
  let failure: { error: unknown } | undefined;
  const request = (run: () => unknown): Pending => {
    const pending: Pending = {};
    try {
      pending.result = run();
    } catch (error) {
      pending.error = error;
      failure ??= { error };
    }
    open++;
    queueMicrotask(() => {
      open--;
      if (pending.error === undefined) pending.onsuccess?.();
      else pending.onerror?.();
    });
    return pending;
  };
  const store = {
    transaction,
    get: (key: IDBValidKey) => request(() => table.get(keyOf(key))),
    put: (value: unknown, key: IDBValidKey) => request(() => table.put(keyOf(key), value)),
    delete: (key: IDBValidKey) => request(() => table.delete(keyOf(key))),
    clear: () => request(() => table.clear()),
    getAllKeys: () => request(() => table.keys()),
    getAll: () => request(() => table.keys().map((key) => table.get(key))),
  };

  table.begin(write);
  let result: T | PromiseLike<T>;
  try {
    result = callback(store as unknown as IDBObjectStore);
    // As in IndexedDB, the transaction lasts until its last request was answered.
    while (open > 0) await Promise.resolve();
    if (failure) throw failure.error;
    table.commit();
  } catch (error) {
    table.rollback();
    transaction.error = error;
    transaction.onabort?.();
    throw error;
  }
  transaction.oncomplete?.();
  return await result;
}

function keyOf(key: IDBValidKey): string {
  if (typeof key === "string") return key;
  throw new TypeError(`Cannot use the key as it must be a string: current value is ${typeof key}`);
}

/** A table in memory, for tests and for hosts without a disk. */
export function memoryTable(): Table {
  let values = new Map<string, unknown>();
  let before: Map<string, unknown> | undefined;
  return {
    get: (key) => structuredClone(values.get(key)),
    put: (key, value) => {
      values.set(key, structuredClone(value));
    },
    delete: (key) => {
      values.delete(key);
    },
    clear: () => values.clear(),
    keys: () => [...values.keys()].sort(),
    begin: (write) => {
      before = write ? new Map(values) : undefined;
    },
    commit: () => {
      before = undefined;
    },
    rollback: () => {
      if (before) values = before;
    },
  };
}
