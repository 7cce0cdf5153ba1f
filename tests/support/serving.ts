/**
 * The service as a process of its own that is told to end, for tests.
 *
 * @module
 */
import { serveFlags } from "./serve_flags.ts";

/** How a process ended. */
export interface EndedProcess {
  readonly code: number;
  /** Everything that it wrote, to both streams. */
  readonly log: string;
  /** Milliseconds since the last signal. */
  readonly ms: number;
}

/** A running service. */
export interface Serving {
  readonly origin: string;
  readonly port: number;
  signal(signal: Deno.Signal): void;
  /** Resolves when it has written a text. */
  told(text: string): Promise<void>;
  readonly ended: Promise<EndedProcess>;
}

/** Starts `serve.ts` on a free port and waits until it listens. */
export async function startServing(
  environment: Readonly<Record<string, string>>,
  port = 0,
): Promise<Serving> {
  const script = new URL("../../serve.ts", import.meta.url).pathname;
  return await startProcess(
    ["run", "--no-check", ...await serveFlags(), script],
    environment,
    port,
  );
}

/** Lets `deno serve` listen, as a platform does. */
export async function startServed(
  environment: Readonly<Record<string, string>>,
): Promise<Serving> {
  const script = new URL("../../main.ts", import.meta.url).pathname;
  const at = ["--host", "127.0.0.1", "--port", "0"];
  return await startProcess(["serve", "--no-check", "--allow-all", ...at, script], environment, 0);
}

async function startProcess(
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
  port: number,
): Promise<Serving> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [...args],
    env: {
      HOST: "127.0.0.1",
      PORT: String(port),
      AMALGAM_WORKERS: "1",
      NO_COLOR: "1",
      ...environment,
    },
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let log = "";
  let signalled = performance.now();
  let heard = () => {};
  const follow = async (stream: ReadableStream<Uint8Array<ArrayBuffer>>) => {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      log += text;
      heard();
    }
  };
  const written = Promise.all([follow(child.stdout), follow(child.stderr)]);
  const ended = Promise.all([child.status, written]).then(([{ code }]) => ({
    code,
    log,
    ms: performance.now() - signalled,
  }));
  const told = async (text: string) => {
    while (!log.includes(text)) {
      const more = new Promise<void>((resolve) => heard = resolve);
      const over = ended.then(() => {
        if (!log.includes(text)) throw new Error(`The service ended without ${text}: ${log}`);
      });
      await Promise.race([more, over]);
    }
  };
  const address = /listen(?:s|ing) on (http:\/\/127\.0\.0\.1:\d+)/i;
  await told(args[0] === "serve" ? "Listening on http" : "listens on ");
  const origin = address.exec(log)?.[1] ?? "";
  return {
    origin,
    port: Number(new URL(origin).port),
    signal(signal) {
      signalled = performance.now();
      child.kill(signal);
    },
    told,
    ended,
  };
}
