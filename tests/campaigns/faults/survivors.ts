/**
 * Checks a folder after a fault: opens it as the next process does and looks for every promise.
 *
 * @module
 */
import { fileBlobs } from "../../../core/host/file_blobs.ts";
import { hostHasher } from "../../../core/host/hasher.ts";
import { sqliteTable } from "../../../core/host/sqlite_table.ts";
import { checkStore } from "../../../core/store/check_store.ts";
import type { BlobId } from "../../../core/store/blobs.ts";
import { tableStore } from "../../../core/store/table_store.ts";
import { digestId } from "../../support/stored_checkpoint.ts";
import { filesBelow } from "../../support/temporary_folder.ts";
import type { Ledger } from "./ledger.ts";
import { endedJob, madeBy } from "./lives.ts";
import { openService } from "./opened_service.ts";
import { endProcess } from "./snapshot.ts";

/** Everything that is wrong with a folder; empty if every promise is kept. */
export async function brokenPromises(folder: string, ledger: Ledger): Promise<string[]> {
  const broken: string[] = [];
  endProcess(folder);
  let service;
  try {
    service = await openService(folder);
  } catch (error) {
    return [`the store does not open: ${error}`];
  }
  const { request, ports, faults } = service;
  try {
    const left = (await filesBelow(folder)).filter((path) => path.startsWith("tmp/ended"));
    if (left.length > 0) broken.push(`left behind: ${left}`);
    for (const id of ledger.stored) {
      const answer = await request(`/checkpoints/${id}`);
      const found = answer.ok ? await digestId(new Uint8Array(await answer.arrayBuffer())) : "";
      if (found !== id) broken.push(`acknowledged and lost: ${id} (${answer.status})`);
      if (!(await ports.records("readonly", (store) => hasRecord(store, `checkpoint/${id}`)))) {
        broken.push(`acknowledged and without a manifest: ${id}`);
      }
    }
    for (const { path, makes } of ledger.jobs) {
      const answer = await request(path);
      if (!answer.ok) {
        broken.push(`accepted and lost: ${path}`);
        continue;
      }
      await answer.body?.cancel();
      const job = await endedJob(request, path);
      try {
        const id = madeBy(job);
        if (makes !== "" && id !== makes) broken.push(`the job made ${id}, not ${makes}`);
      } catch (error) {
        broken.push(`the job failed: ${(error as Error).message}`);
      }
    }
    // Nothing half: every name stands for its bytes, every manifest for a name.
    for (const id of await ports.blobs.list()) {
      const answer = await request(`/checkpoints/${id}`);
      const found = await digestId(new Uint8Array(await answer.arrayBuffer()));
      // The body of a job that has just ended may go meanwhile.
      if (answer.ok && found !== id) broken.push(`half: ${id}`);
    }
    const listed = await (await request("/checkpoints?limit=1000")).json();
    for (const { id, bytes } of listed.checkpoints) {
      if (await ports.blobs.size(id) !== bytes) broken.push(`a manifest without its bytes: ${id}`);
      if (ledger.removed.has(id)) broken.push(`removed and there again: ${id}`);
    }
    for (const fault of faults) broken.push(`a fault of ours: ${fault}`);
  } finally {
    await service.close();
  }
  broken.push(...await checked(folder, ledger));
  return broken;
}

/** What `deno task fsck --repair` finds beyond orphans, and what it must not have taken. */
async function checked(folder: string, ledger: Ledger): Promise<string[]> {
  const broken: string[] = [];
  const blobs = await fileBlobs({ folder, makeHasher: hostHasher });
  const table = sqliteTable(`${folder}/records.sqlite`);
  try {
    const store = { blobs, records: tableStore(table), makeHasher: hostHasher };
    for (const { kind, at } of await checkStore({ ...store, repair: true })) {
      if (kind !== "orphan-blob") broken.push(`fsck: ${kind} ${at}`);
    }
    const left = await checkStore(store);
    if (left.length > 0) broken.push(`fsck: left after the repair: ${JSON.stringify(left)}`);
    for (const id of ledger.stored) {
      if (await blobs.size(id as BlobId) === undefined) broken.push(`fsck removed ${id}`);
    }
  } finally {
    table.close();
  }
  return broken;
}

function hasRecord(store: IDBObjectStore, key: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const asked = store.get(key);
    asked.onsuccess = () => resolve(asked.result !== undefined);
    asked.onerror = () => reject(asked.error);
  });
}
