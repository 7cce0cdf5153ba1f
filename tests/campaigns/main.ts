/**
 * The campaigns at full length: `deno task campaign [--kills 30] [--inputs 20000] [--requests 200] [--merges 5000]
 * [--seed 1] [--only KIND]`.
 *
 * - faults: the life of a service is watched on its disk; at every change (`crashes.ts`) the folder is copied as
 *   `kill -9`, a power cut and a torn write would leave it, and opened and checked; every change fails once as on a
 *   full and on a broken disk (`disk_errors.ts`); a real process is killed `kills` times (`kills.ts`);
 * - hostile inputs: `inputs` generated requests (`hostile/`), the same for the same seed. `--only "onnx"` sends one
 *   kind; `--kills 0`, `--inputs 0`, `--requests 0` and `--merges 0` leave a campaign out;
 * - conformance: `requests` generated requests to every operation of `/openapi.json`, each answer checked against it;
 * - merges: `merges` random ones of all methods, which must not depend on chunks, element types or the engine.
 *
 * Prints a JSON line per campaign, then what is wrong; exits with 1 if anything is. The test task runs the same with
 * fewer kills and inputs, and beside it servers of URL sources that fail and lie, and a clock that jumps
 * (`faults/sources.test.ts`, `faults/clock.test.ts`).
 *
 * @module
 */
import { parseArgs } from "node:util";
import { conformanceCampaign } from "./conformance/conformance_campaign.ts";
import { crashCampaign } from "./faults/crashes.ts";
import { jobs, merges, tunes, uploads } from "./faults/lives.ts";
import { killCampaign } from "./faults/kills.ts";
import { hostileCampaign } from "./hostile/hostile_campaign.ts";
import { mergeCampaign } from "./merges/merge_campaign.ts";

/** Megabytes by which the resident set may grow, with the allocator settings of `deno task serve`. */
const CEILING = 1000;

const text = { type: "string" } as const;
const { values } = parseArgs({
  args: Deno.args,
  options: { kills: text, inputs: text, requests: text, merges: text, seed: text, only: text },
});
const kills = Number(values.kills ?? 30);
const inputs = Number(values.inputs ?? 20_000);
const requests = Number(values.requests ?? 200);
const count = Number(values.merges ?? 5000);
const seed = Number(values.seed ?? 1);
const wrong: string[] = [];

if (inputs > 0) {
  const { findings, ...report } = await hostileCampaign({
    total: inputs,
    seed,
    ...(values.only === undefined ? {} : { only: values.only }),
  });
  console.log(JSON.stringify({ campaign: "hostile inputs", ...report }));
  wrong.push(...findings);
  if (report.peak_mb > CEILING) wrong.push(`the resident set grew by ${report.peak_mb} MB`);
}
if (requests > 0) {
  const { findings, ...report } = await conformanceCampaign({ runs: requests, seed });
  console.log(JSON.stringify({ campaign: "conformance", ...report }));
  wrong.push(...findings);
}
if (count > 0) {
  const { findings, ...report } = await mergeCampaign({ merges: count, seed });
  console.log(JSON.stringify({ campaign: "merges", ...report }));
  wrong.push(...findings);
}
if (kills > 0) {
  for (const [name, live] of Object.entries({ uploads, merges, tunes, jobs })) {
    const { broken, ...report } = await crashCampaign((ports) => live(ports));
    console.log(JSON.stringify({ campaign: `crashes in ${name}`, ...report }));
    wrong.push(...broken);
  }
  const { broken, ...report } = await killCampaign({ kills, seed });
  console.log(JSON.stringify({ campaign: "kill -9", ...report }));
  wrong.push(...broken);
}
for (const each of wrong.slice(0, 100)) console.log(each.slice(0, 1000));
console.log(`${wrong.length} findings`);
Deno.exit(wrong.length === 0 ? 0 : 1);
