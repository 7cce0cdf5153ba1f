import { assert, assertEquals } from "@std/assert";
import { conformanceCampaign } from "../campaigns/conformance/conformance_campaign.ts";
import { OPERATIONS } from "../../routes/table/mod.ts";

Deno.test("generated requests are answered as /openapi.json says, each of them", async () => {
  const { requests, statuses, findings } = await conformanceCampaign({ runs: 12, seed: 7 });
  assertEquals(findings, []);
  assert(requests >= 200);
  // Both what is done and what is refused was seen of every operation that can refuse.
  for (const { id, body } of OPERATIONS) {
    const seen = Object.keys(statuses[id]!).map(Number);
    assert(seen.some((status) => status < 400), id);
    if (body !== undefined) assert(seen.some((status) => status >= 400), id);
  }
});
