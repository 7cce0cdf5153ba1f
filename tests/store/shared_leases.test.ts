import { assert, assertEquals, assertRejects } from "@std/assert";
import { hostHasher } from "../../core/host/hasher.ts";
import { Problem } from "../../core/problem.ts";
import { removeCheckpoint } from "../../core/store/checkpoints.ts";
import { createLeases } from "../../core/store/leases.ts";
import { memoryBlobs } from "../../core/store/memory_blobs.ts";
import { hold, isHeld, sharedLeases } from "../../core/store/shared_leases.ts";
import { memoryTable, tableStore } from "../../core/store/table_store.ts";
import { memoryLocks } from "../support/locks.ts";

/** Two tabs on one store. */
async function twoTabs() {
  const blobs = memoryBlobs({ makeHasher: hostHasher });
  const records = tableStore(memoryTable());
  const locks = memoryLocks();
  const tab = () => ({ blobs, records, leases: sharedLeases(createLeases(blobs), locks, "store") });
  const writer = await blobs.create();
  await writer.write(Uint8Array.of(1, 2, 3));
  const { id } = await writer.commit();
  return { id, blobs, locks, one: tab(), two: tab() };
}

Deno.test("what one tab reads, another one does not remove", async () => {
  const { id, one, two } = await twoTabs();
  const source = await one.leases.open(id);
  assert(source);
  const inUse = (tab: typeof one) =>
    tab.leases.alone(id, () => Promise.resolve(tab.leases.inUse(id)));
  assertEquals([await inUse(one), await inUse(two)], [true, true]);
  const problem = await assertRejects(() => removeCheckpoint(two, id), Problem);
  assertEquals(problem.kind, "conflict");
  assertEquals([...await source.slice(0, 3)], [1, 2, 3]);
  source.close?.();
  source.close?.();
  await removeCheckpoint(two, id);
  assertEquals(await one.leases.open(id), undefined);
  assertEquals([await inUse(one), await inUse(two)], [false, false]);
});

Deno.test("nothing is opened while it is being removed, nor removed twice at once", async () => {
  const { id, one, two } = await twoTabs();
  const begun = Promise.withResolvers<void>();
  const events: string[] = [];
  const removal = one.leases.alone(id, async () => {
    begun.resolve();
    await Promise.resolve();
    events.push(`removed ${await one.blobs.remove(id)}`);
  });
  await begun.promise;
  const opening = two.leases.open(id).then((source) =>
    events.push(`opened ${source !== undefined}`)
  );
  const again = two.leases.alone(id, async () => {
    events.push(`again ${await two.blobs.remove(id)}`);
  });
  await Promise.all([removal, opening, again]);
  assertEquals(events[0], "removed true");
  assertEquals(events.toSorted(), ["again false", "opened false", "removed true"]);
});

Deno.test("a change that fails gives its lock back, and so does an opening that fails", async () => {
  const { id, locks, one, two } = await twoTabs();
  await assertRejects(
    () => one.leases.alone(id, () => Promise.reject(new Error("disk"))),
    Error,
    "disk",
  );
  const blobs = { ...one.blobs, open: () => Promise.reject(new Error("disk")) };
  const broken = sharedLeases(createLeases(blobs), locks, "store");
  await assertRejects(() => broken.open(id), Error, "disk");
  await two.leases.alone(id, () => Promise.resolve());
  assertEquals((await locks.query()).held, []);
});

Deno.test("a lock is held until it is given back", async () => {
  const locks = memoryLocks();
  const release = await hold(locks, "one", { mode: "exclusive" });
  assertEquals(await isHeld(locks, "one"), true);
  const second = { mode: "exclusive", ifAvailable: true } as const;
  assertEquals(await hold(locks, "one", second), undefined);
  release?.();
  await Promise.resolve();
  assertEquals(await isHeld(locks, "one"), false);
});
