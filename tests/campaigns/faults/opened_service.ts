/**
 * The application over a folder, composed as `main.ts` composes it, but that graphs are loaded once for all its lives.
 *
 * @module
 */
import { readConfig } from "../../../core/host/config.ts";
import { openPorts } from "../../../core/host/ports.ts";
import type { Runner } from "../../../core/jobs/runner.ts";
import { createApp } from "../../../routes/app.ts";
import { sharedWorkspace } from "../../support/shared_sessions.ts";

/** An application over a folder. */
export interface OpenedService {
  readonly ports: Awaited<ReturnType<typeof openPorts>>;
  /** Faults of ours. */
  readonly faults: unknown[];
  request(path: string, init?: RequestInit): Promise<Response>;
  close(): Promise<void>;
}

/** A folder for a campaign, in memory where the system has such: thousands of flushes need no disk. */
export async function campaignFolder(): Promise<string> {
  const memory = "/dev/shm";
  const there = await Deno.stat(memory).then(({ isDirectory }) => isDirectory, () => false);
  return await Deno.realPath(await Deno.makeTempDir(there ? { dir: memory } : {}));
}

/** Opens a folder; environment variables may be given. */
export async function openService(
  folder: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<OpenedService> {
  const config = readConfig(
    {
      AMALGAM_DATA: folder,
      AMALGAM_WORKERS: "0",
      AMALGAM_CHUNK: "4096",
      // Every tensor of a job's result is made durable by itself.
      AMALGAM_JOB_FLUSH: "1",
      ...environment,
    },
    { processors: 1, edge: false },
  );
  const ports = await openPorts(config);
  const faults: unknown[] = [];
  let runner: Runner | undefined;
  const app = createApp({
    ...ports,
    openWorkspace: sharedWorkspace,
    jobs: (made) => runner = made,
    log: (_: string, error: unknown) => faults.push(error),
  });
  await runner!.start();
  return {
    ports,
    faults,
    request: async (path, init) => await app.fetch(new Request(`http://localhost${path}`, init)),
    async close() {
      await runner!.stop();
      await ports.close();
    },
  };
}
