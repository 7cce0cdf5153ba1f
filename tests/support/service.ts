/**
 * The whole application in memory, for tests.
 *
 * @module
 */
import { hostHasher } from "../../core/host/hasher.ts";
import { hostFetch } from "../../core/host/host_fetch.ts";
import { operatorFiles } from "../../core/host/operator_files.ts";
import type { EngineName } from "../../core/engine/engine_name.ts";
import { workerPool } from "../../core/engine/pool.ts";
import { DEFAULT_LIMITS, type Limits } from "../../core/limits.ts";
import { type FetchGuards, guardedFetch } from "../../core/sources/guarded_fetch.ts";
import type { HubPort } from "../../core/sources/hub.ts";
import type { BlobStore } from "../../core/store/blobs.ts";
import { createLeases } from "../../core/store/leases.ts";
import { getManifest } from "../../core/store/records.ts";
import { memoryBlobs } from "../../core/store/memory_blobs.ts";
import { memoryTable, tableStore } from "../../core/store/table_store.ts";
import { createApp, type Ports } from "../../routes/app.ts";
import type { PageFile } from "../../routes/page/mod.ts";
import { sharedWorkspace } from "./shared_sessions.ts";

/** What a test may choose. */
export interface TestAppOptions extends
  Partial<
    Pick<
      Ports,
      | "keys"
      | "chunkElements"
      | "maximumUpload"
      | "loopbackOnly"
      | "cors"
      | "memory"
      | "gate"
      | "lifecycle"
      | "events"
      | "ready"
    >
  > {
  /** Limits other than the defaults. */
  readonly limits?: Partial<Limits>;
  /** What is asked for the addresses behind names. */
  readonly guards?: FetchGuards;
  readonly blobs?: BlobStore;
  readonly workers?: number;
  readonly engine?: EngineName;
  /** Hosts with ports that URL sources may name. */
  readonly sourceHosts?: readonly string[];
  /** The operator's folder. */
  readonly files?: string;
  /** Where hub sources are read from. */
  readonly hub?: HubPort;
  /** The files of the page; there is none by default. */
  readonly page?: PageFile;
}

/** An application with a store of its own. Faults of ours are collected in `faults`. */
export function testApp(options: TestAppOptions = {}) {
  const { workers = 0, sourceHosts = [], files, hub } = options;
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const blobs = options.blobs ?? memoryBlobs({ makeHasher: hostHasher });
  const records = tableStore(memoryTable());
  const leases = createLeases(blobs);
  const executor = workerPool(workers, options.engine);
  const faults: unknown[] = [];
  const ports: Ports = {
    blobs,
    records,
    leases,
    executor,
    openWorkspace: sharedWorkspace,
    sources: {
      openStored: leases.open,
      storedConfig: async (id) => (await getManifest(records, id))?.adapter_config,
      fetch: guardedFetch(hostFetch, sourceHosts, options.guards),
      limits,
      ...(options.memory === undefined ? {} : { memory: options.memory }),
      ...(files === undefined ? {} : { openPath: operatorFiles(files) }),
      ...(hub === undefined ? {} : { hub }),
    },
    chunkElements: options.chunkElements ?? 4096,
    maximumUpload: options.maximumUpload ?? 2 ** 30,
    limits,
    ...(options.page === undefined ? {} : { page: options.page }),
    ...(options.loopbackOnly === undefined ? {} : { loopbackOnly: options.loopbackOnly }),
    ...(options.cors === undefined ? {} : { cors: options.cors }),
    ...(options.memory === undefined ? {} : { memory: options.memory }),
    ...(options.gate === undefined ? {} : { gate: options.gate }),
    ...(options.lifecycle === undefined ? {} : { lifecycle: options.lifecycle }),
    ...(options.events === undefined ? {} : { events: options.events }),
    width: Math.max(1, workers),
    keys: options.keys ?? [],
    ready: options.ready ?? (() => executor.warm()),
    log: (_, error) => faults.push(error),
  };
  return { app: createApp(ports), ports, faults, close: () => executor.close() };
}
