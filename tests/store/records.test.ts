import { assertEquals } from "@std/assert";
import { keys, set } from "idb-keyval";
import type { BlobId } from "../../core/store/blobs.ts";
import {
  getManifest,
  listManifests,
  type Manifest,
  putManifest,
  removeManifest,
} from "../../core/store/records.ts";
import { memoryTable, tableStore } from "../../core/store/table_store.ts";

function manifest(digit: string): Manifest {
  const created = "2026-01-02T03:04:05.000Z";
  return { id: id(digit), bytes: 10, kind: "weights", tensors: 1, parameters: 2, created };
}

function id(digit: string): BlobId {
  return `sha256:${digit.repeat(64)}`;
}

Deno.test("a manifest is kept, read and forgotten under a prefix of its own", async () => {
  const records = tableStore(memoryTable());
  await putManifest(records, manifest("a"));
  await set(`other/${id("a")}`, { rows: [1] }, records);
  assertEquals(await keys(records), [`checkpoint/${id("a")}`, `other/${id("a")}`]);
  assertEquals(await getManifest(records, id("a")), manifest("a"));
  await removeManifest(records, id("a"));
  assertEquals(await getManifest(records, id("a")), undefined);
  assertEquals(await keys(records), [`other/${id("a")}`]);
});

Deno.test("pages together list every manifest once, by ascending id, and nothing else", async () => {
  const records = tableStore(memoryTable());
  await set("job/1", {}, records);
  await set("checkpoint", {}, records);
  await set("report/r", {}, records);
  const digits = ["c", "0", "f", "7", "a"];
  for (const digit of digits) await putManifest(records, manifest(digit));
  const all = digits.toSorted().map(manifest);
  for (let limit = 1; limit <= 6; limit++) {
    const listed: Manifest[] = [];
    const sizes: number[] = [];
    let next: BlobId | undefined;
    do {
      const page = await listManifests(records, { limit, ...(next ? { after: next } : {}) });
      listed.push(...page.items);
      sizes.push(page.items.length);
      next = page.next;
    } while (next);
    assertEquals(listed, all);
    assertEquals(sizes.length, Math.ceil(5 / limit), `limit ${limit}`);
  }
  assertEquals(await listManifests(records, { limit: 5, after: id("f") }), { items: [] });
  const absent = await listManifests(records, { limit: 1, after: id("8") });
  assertEquals(absent, { items: [manifest("a")], next: id("a") });
});
