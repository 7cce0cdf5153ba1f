/**
 * Ends the service in order: nothing new is taken, what runs may end, jobs are queued again, then everything closes.
 *
 * @module
 */
import type { Lifecycle } from "../lifecycle.ts";
import type { Log } from "../log.ts";

/** What is ended. */
export interface ShutdownPorts {
  readonly lifecycle: Lifecycle;
  /** Ends the jobs' work and leaves them queued. */
  readonly stopJobs: () => Promise<void>;
  /** Ends every connection at once. */
  readonly cutConnections: () => void;
  /** Closes the listener and resolves when the connections have ended. */
  readonly closeServer: () => Promise<void>;
  /** Closes engine and store. */
  readonly closePorts: () => Promise<void>;
  /** Seconds that running requests have to end. */
  readonly grace: number;
  readonly log: Log;
}

/** Milliseconds that connections have to end once their requests have, and store and engine to close. */
const LAST = 2000;

/**
 * Ends the service. New requests are refused from the first moment, with 503 as long as requests run and then by a
 * closed port; requests that have not ended when the grace is over are cut off.
 */
export async function shutDown(ports: ShutdownPorts): Promise<void> {
  const { lifecycle, grace, log } = ports;
  log("info", "amalgam stops", { requests: lifecycle.running(), grace });
  const tell = (what: string) => (error: unknown) => log("error", what, { error });
  const drained = lifecycle.drain();
  const stopped = ports.stopJobs().catch(tell("the jobs do not stop"));
  await within(1000 * grace, Promise.all([drained, stopped]));
  const cut = lifecycle.running();
  if (cut > 0) {
    log("error", "requests were cut off as the grace was over", { requests: cut });
    ports.cutConnections();
  }
  await within(LAST, ports.closeServer().catch(tell("the server does not close")));
  await within(LAST, ports.closePorts().catch(tell("the store does not close")));
  log("info", "amalgam has stopped");
}

/**
 * Lets the process end with status 0 by itself, as nothing is left to do, or after a moment whatever is left. Deno's
 * `exit` hangs if it meets an export of metrics under way; the end of the program does not.
 */
export function leaveProcess(): void {
  Deno.exitCode = 0;
  Deno.unrefTimer(setTimeout(() => Deno.exit(0), LAST));
}

/** Waits until something has come about, or for some milliseconds. */
async function within(longest: number, ended: Promise<unknown>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<void>((done) => timer = setTimeout(done, longest));
  await Promise.race([ended, late]);
  clearTimeout(timer);
}
