import { assert, assertEquals, assertRejects } from "@std/assert";
import { hostHasher } from "../../core/host/hasher.ts";
import type { BlobId } from "../../core/store/blobs.ts";
import { createLeases } from "../../core/store/leases.ts";
import { memoryBlobs } from "../../core/store/memory_blobs.ts";

const ABSENT: BlobId = `sha256:${"0".repeat(64)}`;

Deno.test("a blob is in use until the last of its sources is closed", async () => {
  const blobs = memoryBlobs({ makeHasher: hostHasher });
  const writer = await blobs.create();
  await writer.write(Uint8Array.of(1, 2, 3));
  const { id } = await writer.commit();
  const leases = createLeases(blobs);
  assertEquals(leases.inUse(id), false);
  const [first, second] = await Promise.all([leases.open(id), leases.open(id)]);
  assert(first && second);
  first.close?.();
  first.close?.();
  assertEquals(leases.inUse(id), true);
  assertEquals([...await second.slice(1, 3)], [2, 3]);
  await assertRejects(() => first.slice(0, 1), RangeError, "closed");
  second.close?.();
  assertEquals(leases.inUse(id), false);
});

Deno.test("what cannot be opened is not in use", async () => {
  const blobs = memoryBlobs({ makeHasher: hostHasher });
  const absent = createLeases(blobs);
  assertEquals([await absent.open(ABSENT), absent.inUse(ABSENT)], [undefined, false]);
  const broken = createLeases({ ...blobs, open: () => Promise.reject(new Error("disk")) });
  await assertRejects(() => broken.open(ABSENT), Error, "disk");
  assertEquals(broken.inUse(ABSENT), false);
});

Deno.test("changes of one blob wait for each other, also after a failure; those of others do not", async () => {
  const leases = createLeases(memoryBlobs({ makeHasher: hostHasher }));
  const events: string[] = [];
  const first = Promise.withResolvers<void>();
  const second = Promise.withResolvers<void>();
  const change = (name: string, until?: Promise<void>) => async () => {
    events.push(`${name} begins`);
    await until;
    events.push(`${name} ends`);
    return name;
  };
  const a = leases.alone(ABSENT, change("a", first.promise));
  const b = leases.alone(ABSENT, change("b", second.promise));
  assertEquals(await leases.alone(`sha256:${"1".repeat(64)}`, change("c")), "c");
  first.reject(new Error("stop"));
  await assertRejects(() => a, Error, "stop");
  const d = leases.alone(ABSENT, change("d"));
  await new Promise((resolve) => setTimeout(resolve));
  assertEquals(events.splice(0), ["a begins", "c begins", "c ends", "b begins"]);
  second.resolve();
  assertEquals(await Promise.all([b, d]), ["b", "d"]);
  assertEquals(events, ["b ends", "d begins", "d ends"]);
});
