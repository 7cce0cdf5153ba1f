import { assert, assertEquals } from "@std/assert";
import { keys, set, type UseStore } from "idb-keyval";
import { createReports, removeReport } from "../../core/store/reports.ts";
import { memoryTable, tableStore } from "../../core/store/table_store.ts";

const HOUR = 3_600_000;

/** Reports over records that count the transactions that write. */
function counted(options: { readonly now?: () => number } = {}) {
  const inner = tableStore(memoryTable());
  const lost: [string, unknown][] = [];
  let writes = 0;
  let broken = false;
  const records: UseStore = (mode, callback) => {
    if (mode === "readwrite") {
      writes++;
      if (broken) return Promise.reject(new Error("the disk is broken"));
    }
    return inner(mode, callback);
  };
  const reports = createReports({
    records,
    retention: 3600,
    now: options.now ?? Date.now,
    log: (id, error) => lost.push([id, error]),
  });
  return { reports, records, lost, writes: () => writes, fail: () => broken = true };
}

Deno.test("a report is kept before its promise resolves, and read by its id alone", async () => {
  const { reports, records } = counted();
  const id = reports.newId();
  assert(/^[\da-f]{8}-[\da-f]{4}-7[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/.test(id), id);
  await reports.keep(id, { rows: [1] });
  assertEquals(await reports.read(id), { rows: [1] });
  assertEquals(await reports.read(reports.newId()), undefined);
  await removeReport(records, id);
  assertEquals(await reports.read(id), undefined);
});

Deno.test("a report is read at once, before it is written, and no more where it was lost", async () => {
  const { reports, fail, lost } = counted();
  const [first, second] = [reports.newId(), reports.newId()];
  const keeping = [reports.keep(first, { rows: 1 }), reports.keep(second, { rows: 2 })];
  assertEquals(await reports.read(second), { rows: 2 });
  await Promise.all(keeping);
  assertEquals(await reports.read(first), { rows: 1 });
  fail();
  const third = reports.newId();
  const losing = reports.keep(third, { rows: 3 });
  assertEquals(await reports.read(third), { rows: 3 });
  await losing;
  assertEquals([await reports.read(third), lost.length], [undefined, 1]);
});

Deno.test("a report that an earlier version kept is read as well", async () => {
  const { reports, records } = counted();
  const id = reports.newId();
  await set(`report/${id}`, { rows: [1] }, records);
  assertEquals(await reports.read(id), { rows: [1] });
});

Deno.test("reports that come at once share few transactions, and none is lost", async () => {
  const { reports, writes } = counted();
  const ids = Array.from({ length: 100 }, () => reports.newId());
  await Promise.all(ids.map((id, i) => reports.keep(id, i)));
  assertEquals(await Promise.all(ids.map(reports.read)), ids.map((_, i) => i));
  // The first, then all that came meanwhile, and one that looks for old ones.
  assert(writes() <= 4, String(writes()));
});

Deno.test("ids rise with time, and what is older than the retention is forgotten with a later report", async () => {
  let time = 1_000_000 * HOUR;
  const { reports, records } = counted({ now: () => time });
  await set("report/of-a-job", "kept", records);
  const first = reports.newId();
  await reports.keep(first, 1);
  time += HOUR / 2;
  const second = reports.newId();
  assert(first < second);
  await reports.keep(second, 2);
  time += HOUR * 0.75;
  const third = reports.newId();
  await reports.keep(third, 3);
  assertEquals(
    [await reports.read(first), await reports.read(second), await reports.read(third)],
    [undefined, 2, 3],
  );
  assertEquals((await keys(records)).includes("report/of-a-job"), true);
});

Deno.test("a report that cannot be kept is told to the log, and keeps nobody from ending", async () => {
  const { reports, lost, fail } = counted();
  fail();
  await Promise.all(["a", "b"].map((id) => reports.keep(id, {})));
  assertEquals(lost.map(([id]) => id).sort(), ["a", "b"]);
});
