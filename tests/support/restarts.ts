/**
 * A store that several applications serve one after the other, as processes do; in memory, for tests of jobs.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import type { UseStore } from "idb-keyval";
import { hostHasher } from "../../core/host/hasher.ts";
import type { Job } from "../../core/jobs/job.ts";
import type { Runner } from "../../core/jobs/runner.ts";
import type { BlobStore } from "../../core/store/blobs.ts";
import { createLeases } from "../../core/store/leases.ts";
import { memoryBlobs } from "../../core/store/memory_blobs.ts";
import { memoryTable, tableStore } from "../../core/store/table_store.ts";
import { createApp, type Ports } from "../../routes/app.ts";
import { testApp, type TestAppOptions } from "./service.ts";

/** An application over the store. */
export interface Life {
  readonly app: ReturnType<typeof createApp>;
  readonly runner: Runner;
  readonly ports: Ports;
  /** Ends it as SIGTERM does. */
  stop(): Promise<void>;
}

/** Makes the store. */
export function restartable(
  options: TestAppOptions = {},
  blobs: BlobStore = memoryBlobs({ makeHasher: hostHasher }),
) {
  const records = tableStore(memoryTable());
  const clock = { now: Date.now() };
  return {
    blobs,
    records,
    clock,
    /** Starts the next application; ports may be others than its own. */
    async open(change: (ports: Ports) => Partial<Ports> = () => ({})): Promise<Life> {
      const test = testApp({ ...options, blobs });
      const leases = createLeases(blobs);
      const shared: Ports = {
        ...test.ports,
        records,
        leases,
        sources: { ...test.ports.sources, openStored: leases.open },
        now: () => clock.now,
      };
      const ports = { ...shared, ...change(shared) };
      let runner: Runner | undefined;
      const app = createApp({ ...ports, jobs: (made) => runner = made });
      await runner!.start();
      return {
        app,
        runner: runner!,
        ports,
        async stop() {
          await runner!.stop();
          await test.close();
        },
      };
    },
  };
}

/** Records that fail from the moment on that a key is written whose value is of some kind, as if the process had died. */
export function deadly(
  records: UseStore,
  isLast: (key: string, value: unknown) => boolean,
): { readonly records: UseStore; readonly died: Promise<void> } {
  let dead = false;
  let die = () => {};
  const died = new Promise<void>((done) => die = done);
  return {
    died,
    records: async (mode, callback) => {
      if (dead) throw new Error("The process is dead");
      let last = false;
      const result = await records(mode, (store) => {
        const put = store.put.bind(store);
        const watched = Object.assign(Object.create(store), {
          transaction: store.transaction,
          put: (value: unknown, key: string) => {
            last ||= isLast(key, value);
            return put(value, key);
          },
        });
        return callback(watched);
      });
      if (last) {
        dead = true;
        die();
      }
      return result;
    },
  };
}

/** Begins a job; answers its path. */
export async function beginJob(
  app: Life["app"],
  path: string,
  body: BodyInit,
  headers: Record<string, string> = {},
): Promise<string> {
  const answer = await app.request(path, {
    method: "POST",
    body,
    headers: { prefer: "respond-async", ...headers },
  });
  const text = await answer.text();
  assertEquals(answer.status, 202, text);
  return answer.headers.get("location")!;
}

/** A body of a document and its uploads. */
export function formOf(
  part: string,
  document: unknown,
  uploads: Iterable<readonly [string, Uint8Array<ArrayBuffer>]> = [],
): FormData {
  const form = new FormData();
  form.append(part, new Blob([JSON.stringify(document)], { type: "application/json" }), part);
  for (const [name, bytes] of uploads) form.append(name, new Blob([bytes]), name);
  return form;
}

/** A job once it has ended. */
export async function endOf({ app, runner }: Life, path: string): Promise<Job> {
  await runner.ended(path.slice("/jobs/".length));
  return await (await app.request(path)).json();
}
