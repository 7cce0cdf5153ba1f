import { assert, assertEquals } from "@std/assert";
import { inlineExecutor } from "../../../core/engine/pool.ts";
import { mergeCampaign } from "./merge_campaign.ts";

Deno.test("random merges do not depend on chunks, element types of exact values, or the engine", async () => {
  const { merges, refused, findings } = await mergeCampaign({ merges: 200, seed: 11 });
  assertEquals(findings, []);
  assert(refused < merges / 4, `${refused} of ${merges} were refused`);
});

Deno.test("a merge that went wrong in one chunk is found", async () => {
  const inner = inlineExecutor("fused");
  const { findings } = await mergeCampaign({
    merges: 20,
    seed: 12,
    executor: {
      ...inner,
      async run(job, size) {
        const result = await inner.run(job, size);
        if (job.stage === "map" && result.bytes) result.bytes[0]! ^= 1;
        return result;
      },
    },
  });
  await inner.close();
  assert(findings.length > 0);
  for (const finding of findings) assertEquals(finding.startsWith("chunks of"), true, finding);
});
