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
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-check",
      ...await serveFlags(),
      new URL("../../serve.ts", import.meta.url).pathname,
    ],
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
  await told("listens on ");
  const origin = /listens on (http:\/\/127\.0\.0\.1:\d+)/.exec(log)?.[1] ?? "";
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
