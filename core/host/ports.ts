/**
 * Builds the ports of the application from the configuration.
 *
 * @module
 */
import type { UseStore } from "idb-keyval";
import { createSegmentMemory } from "../checkpoint/segment_memory.ts";
import { onnxWorkspace } from "../engine/onnx_workspace.ts";
import { workerPool } from "../engine/pool.ts";
import { remoteWorkspaces } from "../engine/remote_workspace.ts";
import { type Log, noLog } from "../log.ts";
import { memoryBudget } from "../memory_budget.ts";
import { checkReadiness } from "../readiness.ts";
import { guardedFetch } from "../sources/guarded_fetch.ts";
import type { BlobId } from "../store/blobs.ts";
import { getManifest } from "../store/records.ts";
import { createLeases } from "../store/leases.ts";
import { memoryBlobs } from "../store/memory_blobs.ts";
import { memoryTable, type Settling, tableStore } from "../store/table_store.ts";
import { type Config, ConfigError } from "./config.ts";
import { fileBlobs } from "./file_blobs.ts";
import { fileWorkers } from "./file_workers.ts";
import { mayHaveGpu } from "./gpu_hint.ts";
import { hostHasher } from "./hasher.ts";
import { connect } from "./http/connect.ts";
import { behindProxy } from "./http/proxy.ts";
import { createRangeClient } from "./http/range_client.ts";
import { createRangeRequests } from "./http/range_requests.ts";
import { createRangeThread } from "./http/range_thread.ts";
import { hostFetch } from "./host_fetch.ts";
import { operatorFiles } from "./operator_files.ts";
import { pageFiles } from "./page_files.ts";
import { hostResolver } from "./resolve_host.ts";
import { openSpillFile } from "./spill_file.ts";

/** An id that nothing has. */
const NOTHING: BlobId = `sha256:${"0".repeat(64)}`;
/** Milliseconds in which store and engine must answer to be ready. */
const READY_MS = 4000;
/** Requests for URLs of one call that are made before there is memory for their answers. */
const EARLY_REQUESTS = 24;
/** Milliseconds after which a job's result is made durable, however little of it is there. */
const FLUSH_MS = 2000;

/**
 * Opens the store and the engine (which loads on first use).
 *
 * @param log Is told what the engine `auto` was found to be.
 * @throws {ConfigError} If a folder that the environment names is none, or the store cannot be opened in it.
 */
export async function openPorts(config: Config, log: Log = noLog) {
  const { data, memory, files, workers } = config;
  await checkFiles(files);
  const { blobs, records, closeRecords } = await openStore(data, memory);
  const leases = createLeases(blobs);
  const executor = workerPool(workers, config.engine, fileWorkers, {
    measures: config.engine === "auto" && mayHaveGpu(),
    onChosen: (engine) => log("info", "engine", { engine }),
  });
  const { limits } = config;
  const budget = memoryBudget(limits.memory, 1000 * limits.memoryWait);
  const { resolve, checks } = await hostResolver();
  // Where addresses are known; elsewhere, and through a proxy, the platform connects.
  const connects = checks === "addresses" && !behindProxy();
  const ofAnswers = { headerBytes: limits.sourceHeaders };
  const client = createRangeClient({
    requests: workers === 0
      ? createRangeRequests({ connect, ...ofAnswers })
      : createRangeThread(ofAnswers),
    fetch: hostFetch,
  });
  const read = guardedFetch(connects ? client.fetch : hostFetch, config.sourceHosts, {
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
      ahead: {
        memory: createSegmentMemory(),
        early: connects ? EARLY_REQUESTS : 0,
        ...(data === undefined ? {} : {
          spill: {
            open: (size: number) => openSpillFile(`${data}/tmp`, size),
            limit: config.spill,
          },
        }),
      },
      hub: {
        url: config.hub,
        headers: config.hubToken === undefined
          ? {}
          : { authorization: `Bearer ${config.hubToken}` },
      },
      ...(files === undefined ? {} : { openPath: operatorFiles(files) }),
    },
    chunkElements: config.chunkElements,
    driven: config.jobs,
    flushes: { bytes: config.jobFlush, ms: FLUSH_MS },
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
    ready: () =>
      checkReadiness({
        "the store": () => blobs.size(NOTHING),
        "the table of records": () => getManifest(records, NOTHING),
        "the engine": executor.warm,
      }, READY_MS),
    async close() {
      client.close();
      await executor.close();
      await closeRecords();
    },
  };
}

async function openStore(data: string | undefined, memory: number) {
  if (data === undefined) {
    return {
      blobs: memoryBlobs({ makeHasher: hostHasher, limit: memory }),
      ...await openRecords(),
    };
  }
  try {
    const blobs = await fileBlobs({ folder: data, makeHasher: hostHasher });
    return { blobs, ...await openRecords(data) };
  } catch (error) {
    throw new ConfigError([
      "AMALGAM_DATA must be memory: or a folder that the service may write: " +
      `current value is ${data} (${(error as Error).message})`,
    ]);
  }
}

async function checkFiles(files: string | undefined): Promise<void> {
  if (files === undefined) return;
  const isFolder = await Deno.stat(files).then(({ isDirectory }) => isDirectory, () => false);
  if (isFolder) return;
  throw new ConfigError([
    `AMALGAM_FILES must be a folder that the service may read: current value is ${files}`,
  ]);
}

/** SQLite is loaded only where it is used; not every host has it. */
async function openRecords(
  data?: string,
): Promise<{ records: UseStore & Settling; closeRecords: () => Promise<void> }> {
  if (data === undefined) {
    return { records: tableStore(memoryTable()), closeRecords: () => Promise.resolve() };
  }
  const { sqliteTable } = await import("./sqlite_table.ts");
  const table = sqliteTable(`${data}/records.sqlite`);
  const records = tableStore(table);
  return { records, closeRecords: () => records.settled().then(table.close) };
}
