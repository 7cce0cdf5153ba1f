/**
 * The disk campaign: every change on the disk, and every read, fails once, as on a full or a broken disk.
 *
 * The service lives on. Each failure must be told as a problem (or break a stream that had begun), whatever
 * failed must be repeatable once the disk is well again, and no promise may be broken.
 *
 * @module
 */
import { openLedger } from "./ledger.ts";
import type { LifePorts } from "./lives.ts";
import { campaignFolder, openService } from "./opened_service.ts";
import { brokenPromises } from "./survivors.ts";
import { type Change, watchDisk } from "./watched_disk.ts";

/** How the disk fails. */
export type DiskError = "full" | "broken";

/** What a campaign found. */
export interface DiskReport {
  /** Failures that were made, by the change that failed. */
  readonly points: Readonly<Record<string, number>>;
  readonly total: number;
  /** Answers to them by status; 0 stands for a stream that broke off, 200 for a failure that was none. */
  readonly answers: Readonly<Record<number, number>>;
  readonly broken: readonly string[];
}

const CHANGES = {
  full: ["open", "write", "sync", "rename", "mkdir", "sql"],
  broken: ["write", "sync", "rename", "read", "sql"],
} as const;

/** Lets a call happen once for each of its changes, which then fails; the call answers its response's end. */
export async function diskCampaign(
  error: DiskError,
  prepare: (ports: LifePorts) => Promise<(ports: LifePorts) => Promise<Response>>,
): Promise<DiskReport> {
  const folder = await campaignFolder();
  const points: Record<string, number> = {};
  const answers: Record<number, number> = {};
  const broken: string[] = [];
  const ledger = openLedger();
  const service = await openService(folder);
  const ports = { send: service.request, ledger };
  const called = async (call: (ports: LifePorts) => Promise<Response>) => {
    const end = await ended(await call(ports));
    // A merge's report reaches the disk after the last byte: that moment belongs to the call as well.
    await service.ports.records.settled();
    return end;
  };
  try {
    const call = await prepare(ports);
    for (let fail = 0;; fail++) {
      let number = 0;
      let failed: Change | undefined;
      const watch = watchDisk(folder, (change) => {
        if (!(CHANGES[error] as readonly string[]).includes(change.name)) return;
        if (change.what === "ROLLBACK" || change.what === "PRAGMA") return;
        if (number++ !== fail) return;
        failed = change;
        throw errorOf(error, change);
      });
      let status: number;
      let text = "";
      try {
        ({ status, text } = await called(call));
      } finally {
        watch.stop();
      }
      if (!failed) break;
      const { name } = failed;
      points[name] = (points[name] ?? 0) + 1;
      answers[status] = (answers[status] ?? 0) + 1;
      const fault = judge(error, name, status, text);
      if (fault) broken.push(`${error} ${name} ${fail}: ${fault}`);
      service.faults.length = 0;
      const again = await called(call);
      if (again.status !== 200 && again.status !== 201) {
        broken.push(`${error} ${name} ${fail}: it cannot be repeated: ${again.text}`);
      }
    }
  } finally {
    await service.close();
  }
  broken.push(...await brokenPromises(folder, ledger));
  await Deno.remove(folder, { recursive: true });
  const total = Object.values(points).reduce((sum, count) => sum + count, 0);
  return { points, total, answers, broken };
}

/** Reads an answer to its end; status 0 if it breaks off. */
async function ended(answer: Response): Promise<{ status: number; text: string }> {
  try {
    const bytes = new Uint8Array(await answer.arrayBuffer());
    const length = answer.headers.get("content-length");
    if (length !== null && Number(length) !== bytes.length) return { status: -1, text: "half" };
    return {
      status: answer.status,
      text: answer.ok ? "" : new TextDecoder().decode(bytes),
    };
  } catch (error) {
    return { status: 0, text: String(error) };
  }
}

/** What is wrong with an answer to a failing disk. */
function judge(error: DiskError, name: string, status: number, text: string): string | undefined {
  // A folder's flush, or a report that could not be kept, takes nothing from an answer that is whole.
  if (status === 200 || status === 201 || status === 0) return undefined;
  if (status === -1) return "a half answer that looks whole";
  const { type, detail } = JSON.parse(text);
  if (!/^\/problems\//.test(type) || !detail) return `no problem document: ${text}`;
  if (error === "full" && type !== "/problems/insufficient-storage") {
    return `${name} is told as ${text}`;
  }
  // Whoever asked has done nothing wrong.
  if (status < 500) return `${name} is told as ${text}`;
  return undefined;
}

function errorOf(error: DiskError, { name }: Change): Error {
  if (name === "sql") {
    return new Error(error === "full" ? "database or disk is full" : "disk I/O error");
  }
  const [number, code, text] = error === "full"
    ? [28, "ENOSPC", "No space left on device"]
    : [5, "EIO", "Input/output error"];
  return Object.assign(new Error(`${text} (os error ${number})`), { code });
}
