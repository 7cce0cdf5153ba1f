/**
 * amalgam: an HTTP service that merges neural-network checkpoints.
 *
 * `deno task serve` runs it through `serve.ts`; on Deno Deploy the default export is served as it is.
 *
 * @module
 */
import { ConfigError, readConfig } from "./core/host/config.ts";
import { hostEnvironment, hostFacts } from "./core/host/environment.ts";
import type { Runner } from "./core/jobs/runner.ts";
import { openPorts } from "./core/host/ports.ts";
import { redactValue } from "./core/redact.ts";
import { createApp } from "./routes/app.ts";

/** On Deno Deploy there is no disk that lasts, and the platform does the listening. */
const edge = Deno.env.get("DENO_DEPLOYMENT_ID") !== undefined ||
  Deno.env.get("DENO_DEPLOY") !== undefined;

/** Milliseconds that running requests have to end after SIGTERM. */
const GRACE = 10_000;

function log(
  level: "info" | "error",
  message: string,
  members: Record<string, unknown> = {},
): void {
  const told = redactValue({ message, ...members }) as Record<string, unknown>;
  const line = { time: new Date().toISOString(), level, ...told };
  (level === "error" ? console.error : console.log)(JSON.stringify(line));
}

function configure() {
  try {
    return readConfig(hostEnvironment(), hostFacts(edge));
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    console.error(`The environment is wrong:\n${error.message}`);
    Deno.exit(1);
  }
}

const config = configure();
const ports = await openPorts(config);
if (ports.sourceChecks === "names") {
  log("info", "this platform tells no addresses: sources are checked by name and literal address");
}
let runner: Runner | undefined;
const app = createApp({
  ...ports,
  jobs: (made) => runner = made,
  log: (id, error) =>
    log("error", "internal", { id, error: error instanceof Error ? error.stack : String(error) }),
});

await runner?.start();

/** Serves one request; the form that Deno Deploy and `deno serve` take. */
export default { fetch: (request: Request): Response | Promise<Response> => app.fetch(request) };

/** Listens where the environment says until SIGINT or SIGTERM; then finishes what runs and ends the process. */
export function serve(): void {
  const server = Deno.serve({
    hostname: config.host,
    port: config.port,
    onListen: ({ hostname, port }) => log("info", `amalgam listens on http://${hostname}:${port}`),
  }, (request) => app.fetch(request));
  let stopping = false;
  const stop = async () => {
    if (stopping) return;
    stopping = true;
    log("info", "amalgam stops");
    await runner?.stop();
    await Promise.race([server.shutdown(), new Promise((done) => setTimeout(done, GRACE))]);
    await ports.close();
    Deno.exit(0);
  };
  Deno.addSignalListener("SIGINT", stop);
  if (Deno.build.os !== "windows") Deno.addSignalListener("SIGTERM", stop);
}
