/**
 * Builds the ports of the application from the configuration.
 *
 * @module
 */
import type { UseStore } from "idb-keyval";
import { onnxWorkspace } from "../engine/onnx_workspace.ts";
import { workerPool } from "../engine/pool.ts";
import { remoteWorkspaces } from "../engine/remote_workspace.ts";
import { memoryBudget } from "../memory_budget.ts";
import { guardedFetch } from "../sources/guarded_fetch.ts";
import type { BlobId } from "../store/blobs.ts";
import { getManifest } from "../store/records.ts";
import { createLeases } from "../store/leases.ts";
import { memoryBlobs } from "../store/memory_blobs.ts";
import { memoryTable, tableStore } from "../store/table_store.ts";
import type { Config } from "./config.ts";
import { fileBlobs } from "./file_blobs.ts";
import { hostHasher } from "./hasher.ts";
import { hostFetch } from "./host_fetch.ts";
import { operatorFiles } from "./operator_files.ts";
import { pageFiles } from "./page_files.ts";
import { hostResolver } from "./resolve_host.ts";

/** Opens the store and the engine (which loads on first use). */
export async function openPorts(config: Config) {
  const { data, memory, files, workers } = config;
  const blobs = data === undefined
    ? memoryBlobs({ makeHasher: hostHasher, limit: memory })
    : await fileBlobs({ folder: data, makeHasher: hostHasher });
  const { records, closeRecords } = await openRecords(data);
  const leases = createLeases(blobs);
  const executor = workerPool(workers, config.engine);
  const { limits } = config;
  const budget = memoryBudget(limits.memory, 1000 * limits.memoryWait);
  const { resolve, checks } = await hostResolver();
  const read = guardedFetch(hostFetch, config.sourceHosts, {
    ...(resolve ? { resolve } : {}),
    headerBytes: limits.sourceHeaders,
    maximumBytes: limits.upload,
    // Readers have the same patience and try again after it; this ends what nobody watches.
    timeout_ms: 2000 * limits.sourceStall,
  });
  return {
    blobs,
    records,
    leases,
    executor,
    openWorkspace: workers === 0 ? () => onnxWorkspace() : remoteWorkspaces(),
    sources: {
      openStored: leases.open,
      storedConfig: async (id: BlobId) => (await getManifest(records, id))?.adapter_config,
      fetch: read,
      limits,
      memory: budget,
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
    limits,
    cors: config.cors,
    loopbackOnly: config.loopbackOnly,
    memory: budget,
    page: pageFiles(),
    /** Whether the addresses behind a name are checked, or only names and literal addresses. */
    sourceChecks: checks,
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
