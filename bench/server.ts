/**
 * The service as a process of its own, with the memory that it takes.
 *
 * @module
 */

/** A running service. */
export interface MeasuredServer {
  readonly origin: string;
  /** Peak resident set in MB since the last call. */
  peak(): number;
  stop(): Promise<void>;
}

/** Starts `deno task serve` on a free port; loads the engine. */
export async function startServer(environment: Record<string, string>): Promise<MeasuredServer> {
  const port = freePort();
  const process = new Deno.Command(Deno.execPath(), {
    args: ["task", "serve"],
    env: { ...environment, HOST: "127.0.0.1", PORT: String(port) },
    stdout: "null",
    stderr: "null",
  }).spawn();
  const origin = `http://127.0.0.1:${port}`;
  for (let waited = 0;; waited += 50) {
    const ready = await fetch(`${origin}/readyz`).then(
      (answer) => answer.body?.cancel(),
      () => null,
    );
    if (ready !== null) break;
    if (waited > 30_000) throw new Error("The service does not start");
    await new Promise((next) => setTimeout(next, 50));
  }
  const pid = listeningProcess(process.pid);
  let peak = 0;
  const timer = setInterval(() => peak = Math.max(peak, residentSet(pid)), 20);
  return {
    origin,
    peak() {
      const value = peak;
      peak = 0;
      return value;
    },
    async stop() {
      clearInterval(timer);
      Deno.kill(pid, "SIGTERM");
      await process.status;
    },
  };
}

/** A port that nothing listens on. */
export function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  return port;
}

/** `deno task` runs the service as a child of its own. */
function listeningProcess(parent: number): number {
  try {
    const children = Deno.readTextFileSync(`/proc/${parent}/task/${parent}/children`).trim();
    return children === "" ? parent : listeningProcess(Number(children.split(" ")[0]));
  } catch {
    return parent;
  }
}

/** Resident set of a process in MB (10^6 bytes); 0 where /proc is not to be had. */
export function residentSet(pid: number): number {
  try {
    const pages = Number(Deno.readTextFileSync(`/proc/${pid}/statm`).split(" ")[1]);
    return pages * 4096 / 1e6;
  } catch {
    return 0;
  }
}
