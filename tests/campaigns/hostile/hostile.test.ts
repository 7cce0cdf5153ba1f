import { assert, assertEquals } from "@std/assert";
import { hostileCampaign, KINDS } from "./hostile_campaign.ts";

/** `deno task campaign` sends 20,000. */
const TOTAL = 4000;

Deno.test("hostile inputs: no 500, no hang, no memory over the ceiling, every refusal a problem document", async () => {
  const report = await hostileCampaign({ total: TOTAL });
  console.log(JSON.stringify({ ...report, findings: report.findings.length }));
  assertEquals(report.findings.slice(0, 10), []);
  assert(report.total >= TOTAL, `${report.total}`);
  // Without the allocator settings of `deno task serve` freed memory stays with the process; see main.ts.
  assert(report.peak_mb < 1500, `the resident set grew by ${report.peak_mb} MB`);
  for (const kind of Object.keys(KINDS)) {
    const { count, statuses } = report.kinds[kind]!;
    // Inputs that are all refused for one reason would test little.
    assert(
      Object.keys(statuses).length > 1,
      `${kind}: ${count} inputs, ${JSON.stringify(statuses)}`,
    );
  }
});
