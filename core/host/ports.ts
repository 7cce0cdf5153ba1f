/**
 * Builds the ports of the application from the configuration.
 *
 * @module
 */
import type { UseStore } from "idb-keyval";
import { onnxWorkspace } from "../engine/onnx_workspace.ts";
import { workerPool } from "../engine/pool.ts";
import { remoteWorkspaces } from "../engine/remote_workspace.ts";
import { guardedFetch } from "../sources/guarded_fetch.ts";
import { createLeases } from "../store/leases.ts";
import { memoryBlobs } from "../store/memory_blobs.ts";
import { memoryTable, tableStore } from "../store/table_store.ts";
import type { Config } from "./config.ts";
import { fileBlobs } from "./file_blobs.ts";
import { hostHasher } from "./hasher.ts";
import { operatorFiles } from "./operator_files.ts";

/** Opens the store and the engine (which loads on first use). */
export async function openPorts(config: Config) {
  const { data, memory, files, workers } = config;
  const blobs = data === undefined
    ? memoryBlobs({ makeHasher: hostHasher, limit: memory })
    : await fileBlobs({ folder: data, makeHasher: hostHasher });
  const { records, closeRecords } = await openRecords(data);
  const leases = createLeases(blobs);
  const executor = workerPool(workers);
  const read = guardedFetch((url, init) => fetch(url, init), config.sourceHosts);
  return {
    blobs,
    records,
    leases,
    executor,
    openWorkspace: workers === 0 ? () => onnxWorkspace() : remoteWorkspaces(),
    sources: {
      openStored: leases.open,
      fetch: read,
      hub: {
        url: config.hub,
        headers: config.hubToken === undefined
          ? {}
          : { authorization: `Bearer ${config.hubToken}` },
      },
      ...(files === undefined ? {} : { openPath: operatorFiles(files) }),
    },
    chunkElements: config.chunkElements,
    maximumUpload: config.maximumUpload,
    width: Math.max(1, workers),
    keys: config.keys,
    async ready() {
      await blobs.size(`sha256:${"0".repeat(64)}`);
      await executor.warm();
    },
    async close() {
      await executor.close();
      closeRecords();
    },
  };
}

/** SQLite is loaded only where it is used; not every host has it. */
async function openRecords(
  data: string | undefined,
): Promise<{ records: UseStore; closeRecords: () => void }> {
  if (data === undefined) return { records: tableStore(memoryTable()), closeRecords: () => {} };
  const { sqliteTable } = await import("./sqlite_table.ts");
  const table = sqliteTable(`${data}/records.sqlite`);
  return { records: tableStore(table), closeRecords: () => table.close() };
}
