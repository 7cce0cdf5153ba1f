import { assert, assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import {
  clear,
  del,
  delMany,
  entries,
  get,
  getMany,
  keys,
  promisifyRequest,
  set,
  setMany,
  update,
  type UseStore,
  values,
} from "idb-keyval";
import { sqliteTable } from "../../core/host/sqlite_table.ts";
import { memoryTable, type Table, tableStore } from "../../core/store/table_store.ts";

/** The same test over every table. */
function everywhere(name: string, run: (store: UseStore, table: Table) => Promise<void>): void {
  Deno.test(`memory: ${name}`, () => {
    const table = memoryTable();
    return run(tableStore(table), table);
  });
  Deno.test(`sqlite: ${name}`, async () => {
    const table = sqliteTable(":memory:");
    try {
      await run(tableStore(table), table);
    } finally {
      table.close();
    }
  });
}

everywhere("every function of idb-keyval", async (store) => {
  assertEquals(await get("a", store), undefined);
  await set("b", { n: 1 }, store);
  await setMany([["c", [3]], ["a", "one"]], store);
  assertEquals(await get("b", store), { n: 1 });
  assertEquals(await getMany(["c", "x", "a"], store), [[3], undefined, "one"]);
  assertEquals(await keys(store), ["a", "b", "c"]);
  assertEquals(await values(store), ["one", { n: 1 }, [3]]);
  assertEquals(await entries(store), [["a", "one"], ["b", { n: 1 }], ["c", [3]]]);
  await set("a", "two", store);
  await update<number>("n", (old) => (old ?? 40) + 1, store);
  await update<number>("n", (old) => (old ?? 40) + 1, store);
  assertEquals(await getMany(["a", "n"], store), ["two", 42]);
  await del("a", store);
  await del("absent", store);
  await delMany(["b", "absent"], store);
  assertEquals(await keys(store), ["c", "n"]);
  await setMany([], store);
  assertEquals(await getMany([], store), []);
  await clear(store);
  assertEquals([await keys(store), await values(store), await entries(store)], [[], [], []]);
});

everywhere("values are copies with their types", async (store) => {
  const cases = [
    null,
    undefined,
    -0,
    NaN,
    2n ** 70n,
    "é😀\0",
    new Date(5),
    new Map([["k", new Set([1n])]]),
    Uint8Array.of(1, 2, 3).subarray(1),
    Float32Array.of(1.5),
    { nested: [undefined, { deep: true }] },
  ];
  for (const [i, value] of cases.entries()) {
    await set(`key ${i}`, value, store);
    assertEquals(await get(`key ${i}`, store), value);
  }
  const value = { list: [1] };
  await set("mine", value, store);
  value.list.push(2);
  const read = await get<typeof value>("mine", store);
  read?.list.push(3);
  assertEquals(await get("mine", store), { list: [1] });
});

everywhere("updates at once lose nothing", async (store) => {
  const add = () => update<number>("n", (old) => (old ?? 0) + 1, store);
  await Promise.all(Array.from({ length: 100 }, add));
  assertEquals(await get("n", store), 100);
});

everywhere("a value that cannot be kept leaves nothing of its transaction", async (store) => {
  await set("a", 1, store);
  await assertRejects(() => setMany([["a", 2], ["b", () => {}], ["c", 3]], store));
  await assertRejects(() => set("d", Symbol("no"), store));
  await assertRejects(() => setMany([["a", 2], [5, 3]], store), TypeError, "must be a string");
  assertEquals(await entries(store), [["a", 1]]);
});

everywhere("an updater or callback that throws leaves nothing", async (store) => {
  await set("a", 1, store);
  const fail = (): never => {
    throw new Error("stop");
  };
  await assertRejects(() => update("a", fail, store), Error, "stop");
  const callbacks: ((records: IDBObjectStore) => unknown)[] = [
    fail,
    () => Promise.reject(new Error("stop")),
    (records) => {
      records.get("a").onsuccess = fail;
    },
    async (records) => {
      await promisifyRequest(records.get("a"));
      records.put(5, "a");
      fail();
    },
  ];
  for (const callback of callbacks) {
    const run = (records: IDBObjectStore) => {
      records.put(2, "a");
      records.put(2, "b");
      return callback(records);
    };
    await assertRejects(async () => await store("readwrite", run), Error, "stop");
    assertEquals(await entries(store), [["a", 1]]);
  }
  await set("b", 2, store);
  assertEquals(await keys(store), ["a", "b"]);
});

everywhere("a callback may await its requests, all in one transaction", async (store, table) => {
  const calls: string[] = [];
  const { put, commit } = table;
  table.put = (key, value) => {
    calls.push(`put ${key}`);
    put(key, value);
  };
  table.commit = () => {
    calls.push("commit");
    commit();
  };
  const result = await store("readwrite", async (records) => {
    const before = await promisifyRequest<number | undefined>(records.get("n"));
    await promisifyRequest(records.put((before ?? 0) + 1, "n"));
    await promisifyRequest(records.put("again", "m"));
    return await promisifyRequest(records.getAllKeys());
  });
  assertEquals(result, ["m", "n"]);
  assertEquals(calls, ["put n", "put m", "commit"]);
});

everywhere("requests after the end of a transaction throw", async (store) => {
  let late: IDBObjectStore | undefined;
  await store("readwrite", (records) => {
    late = records;
  });
  const error = await assertRejects(async () => await promisifyRequest(late!.put(1, "a")));
  assert(error instanceof DOMException);
  assertEquals(error.name, "TransactionInactiveError");
  assertEquals(await keys(store), []);
});

everywhere("a callback that awaits something else does not hold the others up", async (store) => {
  const { promise, resolve } = Promise.withResolvers<string>();
  const slow = store("readonly", () => promise);
  await set("a", 1, store);
  resolve("done");
  assertEquals([await slow, await get("a", store)], ["done", 1]);
});

everywhere("a transaction that reads cannot write", async (store) => {
  await set("a", 1, store);
  for (const change of ["put", "delete", "clear"] as const) {
    const error = await assertRejects(async () =>
      await store("readonly", (records) => {
        if (change === "put") return promisifyRequest(records.put(2, "a"));
        if (change === "delete") return promisifyRequest(records.delete("a"));
        return promisifyRequest(records.clear());
      })
    );
    assert(error instanceof DOMException);
    assertEquals(error.name, "ReadOnlyError");
  }
  assertEquals(await entries(store), [["a", 1]]);
});

/** A change within a transaction. */
const change = fc.oneof(
  fc.record({ put: fc.constantFrom("a", "b", "c"), value: fc.integer() }),
  fc.record({ delete: fc.constantFrom("a", "b", "c") }),
  fc.record({ clear: fc.constant(true) }),
);
const transaction = fc.record({ changes: fc.array(change, { maxLength: 6 }), fails: fc.boolean() });

everywhere(
  "whatever a transaction changed is there as a whole, or not at all",
  async (_, table) => {
    const stands = () => new Map(table.keys().map((key) => [key, table.get(key)]));
    await fc.assert(fc.property(fc.array(transaction, { maxLength: 6 }), (transactions) => {
      let expected = stands();
      for (const { changes, fails } of transactions) {
        const after = new Map(expected);
        table.begin(true);
        for (const change of changes) {
          if ("put" in change) {
            table.put(change.put, change.value);
            after.set(change.put, change.value);
          } else if ("delete" in change) {
            table.delete(change.delete);
            after.delete(change.delete);
          } else {
            table.clear();
            after.clear();
          }
        }
        if (fails) table.rollback();
        else {
          table.commit();
          expected = after;
        }
        assertEquals(stands(), expected);
      }
    }));
  },
);
