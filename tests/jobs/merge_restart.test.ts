import { assert, assertEquals } from "@std/assert";
import { get, keys } from "idb-keyval";
import { addPartRecord, partRecords } from "../../core/jobs/part_log.ts";
import type { BlobId } from "../../core/store/blobs.ts";
import type { Ports } from "../../routes/app.ts";
import { checkpointBytes } from "../support/merging.ts";
import { startRangeServer } from "../support/range_server.ts";
import { beginJob, endOf, formOf, restartable } from "../support/restarts.ts";

const ELEMENTS = 10_000;
const NAMES = ["a", "b", "c", "d", "e"];
const filled = (seed: number) =>
  Object.fromEntries(
    NAMES.map((name, t) => [
      name,
      { shape: [ELEMENTS], values: Array.from({ length: ELEMENTS }, (_, i) => (i * seed + t) % 7) },
    ]),
  );
const FILES = { a: checkpointBytes(filled(3)), b: checkpointBytes(filled(5)) };
const RECIPE = {
  merge_method: "dare_ties",
  base_model: "a",
  models: [{ model: "b", parameters: { density: 0.5, weight: 1 } }],
};
const CHUNKS = Math.ceil(ELEMENTS / 4096);
/** Every tensor is made durable. */
const EVERY = { bytes: 1, ms: 0 };

interface Counted {
  readonly change: (ports: Ports) => Partial<Ports>;
  /** Maps that were computed. */
  readonly maps: () => number;
  /** Resolves when the work stands still before the map with this number. */
  readonly reached: Promise<void>;
  /** Lets the work that stands still fail. */
  readonly fail: () => void;
}

/** Counts the chunks that are computed, and stands still before one of them. */
function counted(stop = Infinity): Counted {
  let maps = 0;
  let reach = () => {};
  let fail = () => {};
  const reached = new Promise<void>((done) => reach = done);
  const failed = new Promise<never>((_, reject) => fail = () => reject(new Error("It is over")));
  failed.catch(() => {});
  return {
    maps: () => maps,
    reached,
    fail,
    // Every map is to be seen here, also those of small tensors.
    change: ({ executor: { small: _, ...executor } }) => ({
      flushes: EVERY,
      executor: {
        ...executor,
        width: 1,
        async run(job) {
          if (job.stage === "map" && ++maps >= stop) {
            reach();
            await failed;
          }
          // Work on tensors as small as these would be done before anything of it is durable.
          await new Promise((next) => setTimeout(next, 2));
          return await executor.run(job);
        },
      },
    }),
  };
}

type Store = ReturnType<typeof restartable>;

interface Begun {
  readonly path: string;
  /** Tensors that were made durable. */
  readonly marked: number;
}

/** Begins a merge, and ends the service before the map with a number. */
async function cutShort(store: Store, body: FormData, stop: number): Promise<Begun> {
  const work = counted(stop);
  const life = await store.open(work.change);
  const path = await beginJob(life.app, "/merge", body);
  await work.reached;
  const stopped = life.stop();
  work.fail();
  await stopped;
  const records = await partRecords(store.records, path.slice("/jobs/".length));
  return { path, marked: records.at(-1)?.tensors ?? 0 };
}

/** Goes on with it; answers the ended job and the maps that it took. */
async function goneOn(store: Store, path: string) {
  const work = counted();
  const life = await store.open(work.change);
  const job = await endOf(life, path);
  await life.stop();
  assertEquals(job.state, "done", JSON.stringify(job.problem));
  const { checkpoint: { id } } = job.result as { checkpoint: { id: BlobId } };
  return { job, id, maps: work.maps() };
}

const uploads = () => formOf("recipe", RECIPE, Object.entries(FILES));

/** What the kept report of a merge tells of its tensors. */
async function reportOf({ records }: Store, id: string) {
  const report: { tensors: unknown[]; state: string } = JSON.parse(
    (await get<string>(`report/${id}`, records))!,
  );
  const { tensors, state } = report;
  return { tensors, state };
}

/** Forms of the result that the tensors' bytes can be read back from. */
const FORMS: Readonly<Record<string, Record<string, unknown>>> = {
  "a merge": {},
  "a merge into shards": { output: { shard_size: 90_000 } },
};

for (const [name, form] of Object.entries(FORMS)) {
  Deno.test(`${name} goes on behind its last finished tensor, computes only the others, and is the same to the byte`, async () => {
    await goesOnEverywhere(() => formOf("recipe", { ...RECIPE, ...form }, Object.entries(FILES)));
  });
}

async function goesOnEverywhere(uploads: () => FormData): Promise<void> {
  const whole = restartable();
  const undisturbed = await whole.open();
  const first = await beginJob(undisturbed.app, "/merge", uploads());
  await undisturbed.stop();
  const expected = await goneOn(whole, first);
  assertEquals(expected.maps, NAMES.length * CHUNKS);
  const told = await reportOf(whole, expected.job.id);
  assertEquals(told.tensors.length, NAMES.length);

  const most: number[] = [];
  for (let stop = 1; stop <= NAMES.length * CHUNKS; stop++) {
    const store = restartable();
    const { path, marked } = await cutShort(store, uploads(), stop);
    assert(marked <= Math.floor((stop - 1) / CHUNKS), `${marked} tensors before map ${stop}`);
    most.push(marked);
    // Nothing of it is to be seen meanwhile.
    assert(!(await store.blobs.list()).includes(expected.id));
    const { job, id, maps } = await goneOn(store, path);
    assertEquals([id, maps], [expected.id, (NAMES.length - marked) * CHUNKS]);
    assertEquals(await reportOf(store, job.id), told);
    const left = (await keys<string>(store.records)).filter((key) => key.startsWith("part/"));
    assertEquals([left, await store.blobs.parts!.names()], [[], []]);
  }
  assert(Math.max(...most) >= 2, `made durable: ${most}`);
}

Deno.test("bytes that are not what was made durable are made again", async () => {
  const store = restartable();
  const { path, marked } = await cutShort(store, uploads(), NAMES.length * CHUNKS);
  assert(marked > 0);
  const job = path.slice("/jobs/".length);
  const records = await partRecords(store.records, job);
  await addPartRecord(store.records, job, records.length - 1, {
    ...records.at(-1)!,
    sha256: "0".repeat(64),
  });
  const { maps } = await goneOn(store, path);
  assertEquals(maps, NAMES.length * CHUNKS);
});

/** How the sources of a merge stand after a restart. */
const CHANGES: Readonly<
  Record<string, { readonly etags: readonly (string | null)[]; readonly goesOn: boolean }>
> = {
  "the same strong ETag": { etags: ['"one"', '"one"'], goesOn: true },
  "another ETag": { etags: ['"one"', '"two"'], goesOn: false },
  "a weak ETag": { etags: ['W/"one"', 'W/"one"'], goesOn: false },
  "no ETag": { etags: [null, null], goesOn: false },
};

for (const [name, { etags, goesOn }] of Object.entries(CHANGES)) {
  Deno.test(`a merge of a URL with ${name} ${goesOn ? "goes on" : "begins anew"} after a restart`, async () => {
    let life = 0;
    const server = startRangeServer(FILES.b, { etag: () => etags[life]! });
    const { host } = new URL(server.url);
    const store = restartable({ sourceHosts: [host] });
    const recipe = { ...RECIPE, sources: { b: { url: server.url } } };
    const body = formOf("recipe", recipe, [["a", FILES.a]]);
    const { path, marked } = await cutShort(store, body, NAMES.length * CHUNKS);
    assertEquals(marked > 0, etags[0]?.startsWith('"') ?? false);
    life = 1;
    const { maps } = await goneOn(store, path);
    assertEquals(maps, (NAMES.length - (goesOn ? marked : 0)) * CHUNKS);
    await server.close();
  });
}

Deno.test("a cancelled and a failed merge leave no part", async () => {
  const store = restartable();
  const work = counted(NAMES.length * CHUNKS);
  const life = await store.open(work.change);
  const path = await beginJob(life.app, "/merge", uploads());
  await work.reached;
  assertEquals((await life.app.request(path, { method: "DELETE" })).status, 204);
  work.fail();
  const failing = counted(NAMES.length * CHUNKS);
  await life.stop();
  const next = await store.open(failing.change);
  const other = await beginJob(next.app, "/merge", uploads());
  await failing.reached;
  failing.fail();
  assertEquals((await endOf(next, other)).state, "failed");
  assertEquals([await store.blobs.parts!.names(), await store.blobs.list()], [[], []]);
  const left = (await keys<string>(store.records)).filter((key) => key.startsWith("part/"));
  assertEquals(left, []);
  await next.stop();
});
