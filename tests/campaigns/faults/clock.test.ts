import { assert, assertEquals } from "@std/assert";
import { openLedger } from "./ledger.ts";
import { jobs, type LifePorts, merges, tunes, uploads } from "./lives.ts";
import { campaignFolder, openService } from "./opened_service.ts";
import { brokenPromises } from "./survivors.ts";

const DAY = 86_400_000;
/** Where the clock stands, call after call, against what it should show. */
const JUMPS = [0, 400 * DAY, -400 * DAY, 3 * DAY, -4000 * DAY, 60_000, -60_000, 0];

Deno.test("a clock that jumps by years, to and fro, takes nothing and ends nothing", async () => {
  const folder = await campaignFolder();
  const ledger = openLedger();
  const { now } = Date;
  let calls = 0;
  Date.now = () => now() + JUMPS[calls++ % JUMPS.length]!;
  // `new Date()` reads the clock without Date.now.
  const RealDate = globalThis.Date;
  class JumpingDate extends RealDate {
    constructor(...values: [number?]) {
      super(values.length === 0 ? RealDate.now() : values[0]!);
    }
  }
  globalThis.Date = JumpingDate as DateConstructor;
  try {
    for (let life = 0; life < 2; life++) {
      const service = await openService(folder);
      const ports: LifePorts = { send: service.request, ledger };
      try {
        await uploads(ports);
        await merges(ports);
        await tunes(ports);
        // Their records and the results of merges are kept for a time by the clock.
        if (life === 0) ledger.stored.delete((await jobs(ports))["merge"]!);
        ledger.jobs.length = 0;
        assertEquals(service.faults, []);
      } finally {
        await service.close();
      }
    }
  } finally {
    globalThis.Date = RealDate;
    Date.now = now;
  }
  assert(calls > 20, `the clock was read ${calls} times`);
  assertEquals(await brokenPromises(folder, ledger), []);
  await Deno.remove(folder, { recursive: true });
});
