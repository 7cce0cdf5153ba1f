import { assert, assertEquals } from "@std/assert";
import { crashCampaign, type CrashReport } from "./crashes.ts";
import { openLedger } from "./ledger.ts";
import { jobs, type LifePorts, merges, tunes, uploads } from "./lives.ts";
import { campaignFolder, openService } from "./opened_service.ts";

async function survived(live: (ports: LifePorts) => Promise<unknown>, least: number) {
  const report: CrashReport = await crashCampaign(live);
  const { points, total, states } = report;
  console.log(JSON.stringify({ points, total, states }));
  assertEquals(report.broken, []);
  assert(report.total >= least, `only ${report.total} points`);
}

Deno.test("a crash at any change on the disk loses no acknowledged upload", async () => {
  await survived(uploads, 150);
});

Deno.test("a crash at any change on the disk of a merge leaves nothing half", async () => {
  await survived(merges, 150);
});

Deno.test("a crash at any change on the disk of a tuning leaves nothing half", async () => {
  await survived(tunes, 150);
});

Deno.test("a job goes on after a crash at any change on the disk, to the same bytes", async () => {
  const root = await campaignFolder();
  let expected: Record<string, string>;
  const service = await openService(root);
  try {
    expected = await jobs({ send: service.request, ledger: openLedger() });
  } finally {
    await service.close();
    await Deno.remove(root, { recursive: true });
  }
  await survived((ports) => jobs(ports, expected), 100);
});
