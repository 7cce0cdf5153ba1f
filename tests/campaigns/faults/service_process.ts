/**
 * The service as a process of its own that may be killed at any moment.
 *
 * @module
 */

/** A running service. */
export interface ServiceProcess {
  readonly origin: string;
  readonly pid: number;
  /** Ends it as the kernel does, or asks it to end; resolves when it is gone. */
  end(signal: "SIGKILL" | "SIGTERM"): Promise<void>;
}

/** Starts `serve.ts` over a folder and waits until it answers. */
export async function startService(
  folder: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<ServiceProcess> {
  const port = freePort();
  const process = new Deno.Command(Deno.execPath(), {
    // Deno lets nothing less write below /dev/shm, where the folder may be.
    args: ["run", "--no-check", "-A", new URL("../../../serve.ts", import.meta.url).pathname],
    env: {
      AMALGAM_DATA: folder,
      HOST: "127.0.0.1",
      PORT: String(port),
      AMALGAM_WORKERS: "1",
      ...environment,
    },
    stdout: "null",
    stderr: "inherit",
  }).spawn();
  const origin = `http://127.0.0.1:${port}`;
  const service: ServiceProcess = {
    origin,
    pid: process.pid,
    async end(signal) {
      try {
        process.kill(signal);
      } catch {
        // It has ended by itself.
      }
      await process.status;
    },
  };
  for (let waited = 0; waited < 60_000; waited += 20) {
    const alive = await fetch(`${origin}/healthz`).then(
      async (answer) => (await answer.text(), answer.ok),
      () => false,
    );
    if (alive) return service;
    await new Promise((next) => setTimeout(next, 20));
  }
  await service.end("SIGKILL");
  throw new Error("The service does not start");
}

function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  return port;
}
