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
import { freeSent } from "./core/host/sent_memory.ts";
import { leaveProcess, shutDown } from "./core/host/shutdown.ts";
import { createLifecycle } from "./core/lifecycle.ts";
import { createLog } from "./core/log.ts";
import { redactSpans } from "./core/telemetry/redact_spans.ts";
import { createApp } from "./routes/app.ts";

/** On Deno Deploy there is no disk that lasts, and the platform does the listening. */
const edge = Deno.env.get("DENO_DEPLOYMENT_ID") !== undefined ||
  Deno.env.get("DENO_DEPLOY") !== undefined;

/** Ends the process with what is wrong with the environment, if that is why something cannot begin. */
function refuse(error: unknown): never {
  if (!(error instanceof ConfigError)) throw error;
  console.error(`The environment is wrong:\n${error.message}`);
  Deno.exit(1);
}

function configure() {
  try {
    return readConfig(hostEnvironment(), hostFacts(edge));
  } catch (error) {
    refuse(error);
  }
}

// Before the first request: the host writes whole addresses into its spans.
redactSpans();
const config = configure();
const log = createLog(
  config.log,
  (line, level) => (level === "error" ? console.error : console.log)(line),
);
const lifecycle = createLifecycle();
const ports = await openPorts(config, log).catch(refuse);
if (ports.sourceChecks === "names") {
  log("info", "this platform tells no addresses: sources are checked by name and literal address");
}
let runner: Runner | undefined;
const app = createApp({
  ...ports,
  jobs: (made) => runner = made,
  lifecycle,
  ...(edge ? {} : { resident: () => Deno.memoryUsage().rss }),
  events: log,
  log: (id, error, request) => log("error", "internal", { id, request, error }),
});

await runner?.start();

/** Serves one request; the form that Deno Deploy and `deno serve` take. */
export default { fetch: (request: Request): Response | Promise<Response> => app.fetch(request) };

function listen(signal: AbortSignal) {
  const { host: hostname, port } = config;
  const onListen = (at: Deno.NetAddr) =>
    log("info", `amalgam listens on http://${at.hostname}:${at.port}`);
  try {
    const answer = async (request: Request) => freeSent(await app.fetch(request));
    return Deno.serve({ signal, hostname, port, onListen }, answer);
  } catch (error) {
    refuse(
      new ConfigError([
        "HOST and PORT must be an address that the service can listen on: " +
        `current value is ${hostname}:${port} (${(error as Error).message})`,
      ]),
    );
  }
}

/** What closes the listener and its connections: nothing where `deno serve` or a platform listens, and closes them. */
let listener = { cut: () => {}, close: () => Promise.resolve() };

/** Ends the process on SIGINT and SIGTERM, once what runs has ended: what the service has open would keep it. */
function heedSignals(): void {
  const stop = (status: number) => async () => {
    // Who asks a second time does not want to wait.
    if (lifecycle.stopping()) Deno.exit(status);
    await shutDown({
      lifecycle,
      log,
      grace: config.limits.grace,
      stopJobs: async () => await runner?.stop(),
      cutConnections: listener.cut,
      closeServer: listener.close,
      closePorts: ports.close,
    });
    leaveProcess();
  };
  try {
    Deno.addSignalListener("SIGINT", stop(130));
    if (Deno.build.os !== "windows") Deno.addSignalListener("SIGTERM", stop(143));
  } catch (error) {
    // A platform that sends none ends its instances as it likes.
    log("debug", "this platform has no signals", { error });
  }
}

heedSignals();

/** Listens where the environment says until SIGINT or SIGTERM; then finishes what runs and ends the process. */
export function serve(): void {
  const connections = new AbortController();
  const server = listen(connections.signal);
  listener = { cut: () => connections.abort(), close: () => server.shutdown() };
}
