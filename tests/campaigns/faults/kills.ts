/**
 * The kill campaign: `kill -9` of a real service while callers upload, merge, tune and wait for jobs over HTTP.
 *
 * One folder lives through all kills, so that what an earlier one left is there for the later ones. After each
 * kill the folder is opened by the next process: every checkpoint that was ever acknowledged is read and compared
 * with its digest, every job that was accepted must end with the bytes that it makes without a kill.
 *
 * @module
 */
import { sqliteTable } from "../../../core/host/sqlite_table.ts";
import { jobsWithParts } from "../../../core/jobs/part_log.ts";
import { tableStore } from "../../../core/store/table_store.ts";
import { digestId, smallCheckpoint } from "../../support/stored_checkpoint.ts";
import { smallRequest, smallUploads } from "../../support/small_model.ts";
import { type OpenLedger, openLedger } from "./ledger.ts";
import {
  endedJob,
  JOB_CALLS,
  type JobCall,
  LARGE_MODELS,
  type LifePorts,
  LONG_MERGE,
  madeBy,
  post,
  ROUNDS,
  upload,
} from "./lives.ts";
import { campaignFolder } from "./opened_service.ts";
import { startService } from "./service_process.ts";
import { brokenPromises } from "./survivors.ts";

/** What a campaign found. */
export interface KillReport {
  readonly kills: number;
  /** Promises made in all. */
  readonly stored: number;
  readonly jobs: number;
  /** Jobs that the next process found and ended as it must: done before the kill, cut short by it, or still queued. */
  readonly continued: number;
  /** Unfinished results of merges that kills left, with tensors that the next process goes on behind. */
  readonly partial: number;
  /** Requests that a kill interrupted. */
  readonly interrupted: number;
  readonly broken: readonly string[];
}

const CALLS: Readonly<Record<string, JobCall>> = {
  long: LONG_MERGE,
  rounds: ROUNDS,
  ...JOB_CALLS,
};

/** Random numbers below 1 from a seed. */
function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
}

/** Kills a service this many times. */
export async function killCampaign(
  { kills, seed = 1, longest_ms = 700 }: {
    readonly kills: number;
    readonly seed?: number;
    /** Longest time from the first promise to the kill. */
    readonly longest_ms?: number;
  },
): Promise<KillReport> {
  const next = random(seed);
  const folder = await campaignFolder();
  const ledger = openLedger();
  const broken: string[] = [];
  const expected: Record<string, string> = {};
  let interrupted = 0;
  let continued = 0;
  let partial = 0;
  let asked = 0;
  const promised = () => ledger.stored.size + asked;
  const pause = (ms: number) => new Promise((done) => setTimeout(done, ms));
  try {
    for (let kill = 0; kill <= kills; kill++) {
      const service = await startService(folder, { AMALGAM_JOB_FLUSH: "1" });
      const send = (path: string, init?: RequestInit) => fetch(service.origin + path, init);
      const ports: LifePorts = { send, ledger };
      try {
        broken.push(...(await lost(ports)).map((each) => `after kill ${kill}: ${each}`));
        if (kill === 0) {
          for (const name of Object.keys(CALLS)) expected[name] = await makes(ports, name);
        }
        // What the last kill interrupted has ended by now, and need not be looked at again.
        continued += ledger.jobs.splice(0).length;
        if (kill === kills) break;
        const controller = new AbortController();
        const callers = [storing, merging, tuning, asking].map((work, i) =>
          work(
            { ...ports, signal: controller.signal, asked: () => ++asked },
            1000 * kill + i,
            expected,
          ).catch(() => {
            interrupted++;
          })
        );
        // On a busy machine nothing would have been promised yet.
        for (const before = promised(); promised() === before;) await pause(5);
        await pause(next() * longest_ms);
        await service.end("SIGKILL");
        controller.abort();
        await Promise.all(callers);
        partial += await leftParts(folder);
      } finally {
        await service.end("SIGKILL");
      }
    }
    broken.push(...await brokenPromises(folder, ledger));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  const stored = ledger.stored.size;
  return { kills, stored, jobs: asked, continued, partial, interrupted, broken };
}

interface Caller extends LifePorts {
  readonly ledger: OpenLedger;
  readonly signal: AbortSignal;
  /** Told of each job that was accepted. */
  readonly asked: () => number;
}

async function storing(ports: Caller, seed: number): Promise<void> {
  for (let i = 0; !ports.signal.aborted; i++) {
    const size = [900, 70_000, 1_500_000][i % 3]!;
    await upload(ports, smallCheckpoint(size, seed + 7 * i));
  }
}

async function merging(ports: Caller): Promise<void> {
  const recipe = {
    merge_method: "linear",
    models: [{ model: "a" }, { model: "b" }],
    parameters: { weight: 1 },
  };
  const files = [["a", LARGE_MODELS[0]!], ["b", LARGE_MODELS[1]!]] as const;
  while (!ports.signal.aborted) {
    await (await post(ports, "/merge", "recipe", recipe, files)).arrayBuffer();
  }
}

async function tuning(ports: Caller, seed: number): Promise<void> {
  for (let i = 0; !ports.signal.aborted; i++) {
    const document = smallRequest({ seed: seed + i, local: { epochs: 1 } });
    const told = await (await post(ports, "/tune", "request", document, smallUploads())).json();
    ports.ledger.stored.add(told.checkpoint.id).add(told.task_vector.id);
  }
}

async function asking(
  ports: Caller,
  _seed: number,
  expected: Readonly<Record<string, string>>,
): Promise<void> {
  while (!ports.signal.aborted) {
    for (const name of Object.keys(CALLS)) {
      const path = await ask(ports, name);
      ports.ledger.jobs.push({ path, makes: expected[name] ?? "" });
      // Most are left to the next process.
      if (ports.asked() % 3 === 0) await endedJob(ports.send, path);
    }
  }
}

async function ask({ send }: LifePorts, name: string): Promise<string> {
  const { path, part, document, files } = CALLS[name]!;
  const headers = { prefer: "respond-async" };
  const answer = await post({ send }, path, part, document, files, headers);
  await answer.body?.cancel();
  return answer.headers.get("location")!;
}

async function makes(ports: LifePorts, name: string): Promise<string> {
  return madeBy(await endedJob(ports.send, await ask(ports, name)));
}

/** Promises that the running service does not keep. */
async function lost({ send, ledger }: LifePorts): Promise<string[]> {
  const broken: string[] = [];
  for (const id of ledger.stored) {
    const answer = await send(`/checkpoints/${id}`);
    const found = await digestId(new Uint8Array(await answer.arrayBuffer()));
    if (found !== id) broken.push(`acknowledged and lost: ${id} (${answer.status})`);
  }
  for (const { path, makes } of ledger.jobs) {
    const answer = await send(path);
    await answer.body?.cancel();
    if (!answer.ok) {
      broken.push(`accepted and lost: ${path}`);
      continue;
    }
    try {
      const made = madeBy(await endedJob(send, path));
      if (made !== makes) broken.push(`${path} made ${made}, not ${makes}`);
    } catch (error) {
      broken.push(`${path}: ${(error as Error).message}`);
    }
  }
  return broken;
}

/** How many results of jobs a killed process has left with whole tensors. */
async function leftParts(folder: string): Promise<number> {
  const table = sqliteTable(`${folder}/records.sqlite`);
  try {
    return (await jobsWithParts(tableStore(table))).size;
  } finally {
    table.close();
  }
}
