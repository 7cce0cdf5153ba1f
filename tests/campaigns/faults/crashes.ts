/**
 * The crash campaign: at every change that a service makes on its disk, what would be left if it ended there.
 *
 * One run of a life makes all its points: before each change the folder is copied as `kill -9` would leave it
 * and as a power cut would (only what was synced), and in the middle of each write once more. The copies are
 * opened and checked afterwards, with the promises that had been made by then. Many points leave the same: a
 * transaction that has only begun, a power cut when all is synced. What is the same to the byte, with the same
 * promises, is checked once.
 *
 * @module
 */
import { copyLedger, type Ledger, openLedger, textOf } from "./ledger.ts";
import type { LifePorts } from "./lives.ts";
import { campaignFolder, openService } from "./opened_service.ts";
import { contentDigest, copyFolder, cutPower } from "./snapshot.ts";
import { brokenPromises } from "./survivors.ts";
import { type Change, type DiskWatch, watchDisk } from "./watched_disk.ts";

/** What a campaign found. */
export interface CrashReport {
  /** Points by the kind of work and of crash, such as `upload kill`. */
  readonly points: Readonly<Record<string, number>>;
  /** Points in all. */
  readonly total: number;
  /** Different folders and promises among them. */
  readonly states: number;
  readonly broken: readonly string[];
}

interface Point {
  readonly name: string;
  readonly folder: string;
  readonly ledger: Ledger;
}

/** Lets a life happen in a fresh folder, and checks what each crash in it would have left. */
export async function crashCampaign(
  live: (ports: LifePorts) => Promise<unknown>,
  { every = 1 }: { readonly every?: number } = {},
): Promise<CrashReport> {
  const root = await campaignFolder();
  const folder = `${root}/data`;
  const ledger = openLedger();
  const taken: Point[] = [];
  const known = new Set<string>();
  const points: Record<string, number> = {};
  let total = 0;
  let phase = "";
  let number = 0;
  let watch: DiskWatch | undefined;
  const take = (kind: string, change: Change) => {
    const copy = `${root}/${total++}`;
    copyFolder(folder, copy);
    if (kind === "power") cutPower(watch!.volatile, folder, copy);
    points[`${phase} ${kind}`] = (points[`${phase} ${kind}`] ?? 0) + 1;
    const state = `${contentDigest(copy)} ${textOf(ledger)}`;
    if (known.has(state)) return Deno.removeSync(copy, { recursive: true });
    known.add(state);
    const name = `${phase} ${kind} before ${change.name} ${
      change.what.slice(folder.length)
    } (${number})`;
    taken.push({ name, folder: copy, ledger: copyLedger(ledger) });
  };
  try {
    watch = watchDisk(folder, (change) => {
      if (change.name === "read" || phase === "") return;
      if (number++ % every !== 0) return;
      take("kill", change);
      take("power", change);
      if (!change.half) return;
      change.half();
      take("torn", change);
    });
    try {
      const service = await openService(folder);
      try {
        await live({ send: service.request, ledger, phase: (name) => void (phase = name) });
      } finally {
        await service.close();
      }
    } finally {
      watch.stop();
    }
    const broken: string[] = [];
    for (const { name, folder, ledger } of taken) {
      for (const each of await brokenPromises(folder, ledger)) broken.push(`${name}: ${each}`);
      await Deno.remove(folder, { recursive: true });
    }
    return { points, total, states: taken.length, broken };
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}
