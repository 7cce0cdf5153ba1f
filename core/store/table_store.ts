/**
 * idb-keyval's `UseStore` over any synchronous table: the little of IndexedDB that idb-keyval uses.
 *
 * @module
 */
import type { UseStore } from "idb-keyval";
import { turn } from "../turn.ts";

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
  /** Makes durable what was committed; absent where a commit does it, or nothing lasts. */
  flush?(): Promise<void>;
}

/** What has transactions under way. */
export interface Settling {
  /** Resolves when none is, and none follows. */
  settled(): Promise<void>;
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
 * throws or rejects, or one of whose requests fails, leaves nothing behind.
 *
 * As in IndexedDB a transaction ends with the turn of the event loop in which its last request was
 * answered: a callback may await its requests, and nothing else. Requests after the end throw
 * `TransactionInactiveError`.
 */
export function tableStore(table: Table): UseStore & Settling {
  let tail: Promise<unknown> = Promise.resolve();
  let flushed: Promise<unknown> = Promise.resolve();
  const store: UseStore = (mode, callback) => {
    const write = mode === "readwrite";
    const ended = tail.then(() => transact(table, write, callback));
    tail = ended.catch(() => {});
    if (!write || !table.flush) return ended.then(({ result }) => result);
    // The next transaction begins meanwhile; who waits for this one is told once it will outlast a crash.
    const durable = ended.then(async ({ result }) => {
      await table.flush!();
      return await result;
    });
    flushed = durable.catch(() => {});
    return durable;
  };
  return Object.assign(store, {
    async settled() {
      let seen: Promise<unknown> | undefined;
      while (seen !== tail) {
        seen = tail;
        await Promise.all([tail, flushed]);
        // Who waited for that may go on with another one.
        await turn();
      }
    },
  });
}

/** The callback's result stands in an object, as the next transaction must not wait for it. */
async function transact<T>(
  table: Table,
  write: boolean,
  callback: (store: IDBObjectStore) => T | PromiseLike<T>,
): Promise<{ readonly result: Promise<T> }> {
  const transaction: Pending = {};
  let failure: { readonly error: unknown } | undefined;
  let active = true;
  const fail = (error: unknown) => failure ??= { error };

  const request = (run: () => unknown): Pending => {
    if (!active) {
      throw new DOMException(
        "Cannot reach the records as the transaction is over",
        "TransactionInactiveError",
      );
    }
    const pending: Pending = {};
    let failed = false;
    try {
      // A table may have ended its transaction when it failed; nothing may be written after that.
      if (failure) throw failure.error;
      pending.result = run();
    } catch (error) {
      failed = true;
      pending.error = error;
      fail(error);
    }
    queueMicrotask(() => {
      try {
        if (failed) pending.onerror?.();
        else pending.onsuccess?.();
      } catch (error) {
        fail(error);
      }
    });
    return pending;
  };
  const change = (run: () => void) =>
    request(() => {
      if (write) return run();
      throw new DOMException("Cannot change records in a transaction that reads", "ReadOnlyError");
    });
  const store = {
    transaction,
    get: (key: IDBValidKey) => request(() => table.get(keyOf(key))),
    put: (value: unknown, key: IDBValidKey) => change(() => table.put(keyOf(key), value)),
    delete: (key: IDBValidKey) => change(() => table.delete(keyOf(key))),
    clear: () => change(() => table.clear()),
    getAllKeys: () => request(() => table.keys()),
    getAll: () => request(() => table.keys().map((key) => table.get(key))),
  };

  table.begin(write);
  try {
    const result = Promise.resolve(callback(store as unknown as IDBObjectStore));
    result.catch(fail);
    await turn();
    active = false;
    if (failure) throw failure.error;
    table.commit();
    transaction.oncomplete?.();
    return { result };
  } catch (error) {
    active = false;
    transaction.error = error;
    try {
      table.rollback();
    } finally {
      transaction.onabort?.();
    }
    throw error;
  }
}

function keyOf(key: IDBValidKey): string {
  if (typeof key === "string") return key;
  throw new TypeError(`Cannot use the key as it must be a string: current value is ${typeof key}`);
}

/** A table in memory, for tests and for hosts without a disk. A transaction costs what it changes. */
export function memoryTable(): Table {
  const values = new Map<string, unknown>();
  /** What stood under the keys that a transaction has changed; absent under those where nothing stood. */
  let before: Map<string, { readonly value: unknown } | undefined> | undefined;
  const remember = (key: string) => {
    if (!before || before.has(key)) return;
    before.set(key, values.has(key) ? { value: values.get(key) } : undefined);
  };
  return {
    get: (key) => structuredClone(values.get(key)),
    put: (key, value) => {
      const copy = structuredClone(value);
      remember(key);
      values.set(key, copy);
    },
    delete: (key) => {
      remember(key);
      values.delete(key);
    },
    clear: () => {
      for (const key of values.keys()) remember(key);
      values.clear();
    },
    keys: () => [...values.keys()].sort(),
    begin: (write) => {
      before = write ? new Map() : undefined;
    },
    commit: () => {
      before = undefined;
    },
    rollback: () => {
      for (const [key, entry] of before ?? []) {
        if (entry) values.set(key, entry.value);
        else values.delete(key);
      }
      before = undefined;
    },
  };
}
