import { assert, assertEquals } from "@std/assert";
import { killCampaign } from "./kills.ts";

/** `deno task campaign` makes more. */
const KILLS = 5;

Deno.test("kill -9 of the service at random moments breaks no promise", async () => {
  const report = await killCampaign({ kills: KILLS });
  console.log(JSON.stringify(report));
  assertEquals(report.broken, []);
  assert(report.stored >= KILLS && report.jobs > 0, "hardly anything was promised");
});
