/**
 * The entry of the worker that answers the page's requests in this browser, with the service's own application.
 *
 * @module
 */
import type { EngineName } from "../../../core/engine/engine_name.ts";
import type { Runner } from "../../../core/jobs/runner.ts";
import type { UploadedSource } from "../../../core/sources/open_sources.ts";
import { createApp } from "../../app.ts";
import { answer, type Answering, refuse } from "./answer.ts";
import { fileHashes } from "./hash_files.ts";
import { openPorts, startScript, threads } from "./ports.ts";
import type { HereRequest, HereStart } from "./protocol.ts";
import { type HereStatus, roomHere } from "./status.ts";

/** The part of a worker's global scope that is used here; the DOM library describes a window instead. */
interface WorkerScope {
  onmessage: ((event: MessageEvent<HereStart | HereRequest>) => void) | null;
}

const NO_UPLOADS: ReadonlyMap<string, UploadedSource> = new Map();

async function start(asked: EngineName): Promise<Answering> {
  const uploads = new WeakMap<Request, ReadonlyMap<string, UploadedSource>>();
  const ports = await openPorts(asked, (request) => uploads.get(request) ?? NO_UPLOADS);
  let runner: Runner | undefined;
  const app = createApp({
    ...ports,
    jobs: (made) => runner = made,
    log: (id, error) => console.error(id, error),
  });
  if (ports.runsJobs) await runner?.start();
  const status = async (): Promise<HereStatus> => ({
    asked,
    engine: await ports.executor.engine?.() ?? { name: "fused" },
    workers: ports.width,
    lasting: ports.lasting,
    ...await roomHere(),
  });
  return {
    fetch: async (request) =>
      new URL(request.url).pathname === "/here"
        ? Response.json(await status())
        : await app.fetch(request),
    hashFiles: fileHashes(() => startScript("hash"), threads()),
    uploads,
  };
}

const scope = globalThis as unknown as WorkerScope;
let started: Promise<Answering> | undefined;

scope.onmessage = async ({ data }) => {
  if ("engine" in data) {
    started = start(data.engine);
    started.catch(() => {});
    return;
  }
  try {
    if (started) await answer(await started, data);
  } catch (error) {
    refuse(data, error);
  }
};
