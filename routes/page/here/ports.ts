/**
 * Builds the ports of the application in a browser.
 *
 * @module
 */
import type { EngineName } from "../../../core/engine/engine_name.ts";
import { workerPool } from "../../../core/engine/pool.ts";
import { remoteWorkspaces } from "../../../core/engine/remote_workspace.ts";
import type { EngineHost } from "../../../core/engine/start_worker.ts";
import { DEFAULT_LIMITS, type Limits } from "../../../core/limits.ts";
import { memoryBudget } from "../../../core/memory_budget.ts";
import type { UploadedSource } from "../../../core/sources/open_sources.ts";
import type { BlobId } from "../../../core/store/blobs.ts";
import { getManifest } from "../../../core/store/records.ts";
import { ownOriginFetch } from "./own_origin.ts";
import { wasmHasher } from "./sha256.ts";
import { openStore } from "./store.ts";

/** Elements per chunk, as in the service. */
const CHUNK = 2 ** 17;
/** More threads than these cost more memory than they give time. */
const MAXIMUM_WORKERS = 4;

/** A visitor takes the bytes when it suits; nobody else waits for this memory. */
const LIMITS: Limits = { ...DEFAULT_LIMITS, readerStall: 3600, seconds: 24 * 3600 };

/** The scripts and files of the built page, which stand beside this one's. */
function beside(name: string): URL {
  return new URL(`./${name}`, import.meta.url);
}

/** Starts a script of the built page on a worker. */
export function startScript(name: string): Worker {
  return new Worker(beside(`${name}.js`), { type: "module", name });
}

const engineHost: EngineHost = {
  startWorker: startScript,
  runtimeCode: () => beside("ort-wasm-simd-threaded.wasm"),
};

/** How many threads work at once. */
export function threads(): number {
  return Math.max(1, Math.min(navigator.hardwareConcurrency, MAXIMUM_WORKERS));
}

/**
 * Opens the store and the engine (which loads on first use).
 *
 * @param present The uploads of each request that are here already.
 */
export async function openPorts(
  engine: EngineName,
  present: (request: Request) => ReadonlyMap<string, UploadedSource>,
) {
  const store = await openStore(await wasmHasher());
  const { records, leases, blobs } = store;
  const limits = LIMITS;
  const workers = threads();
  const executor = workerPool(workers, engine, engineHost);
  const budget = memoryBudget(limits.memory, 1000 * limits.memoryWait);
  return {
    ...store,
    executor,
    openWorkspace: remoteWorkspaces(engineHost),
    sources: {
      openStored: leases.open,
      storedConfig: async (id: BlobId) => (await getManifest(records, id))?.adapter_config,
      fetch: ownOriginFetch(location.origin, fetch),
      limits,
      memory: budget,
    },
    chunkElements: CHUNK,
    maximumUpload: limits.upload,
    width: workers,
    keys: [],
    limits,
    memory: budget,
    present,
    async ready() {
      await blobs.size(`sha256:${"0".repeat(64)}`);
      await executor.warm();
    },
  };
}
