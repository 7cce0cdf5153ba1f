/**
 * `deno task bench:atm`: the experiment of ATM.md's section 11 on the four image tasks, through the service's own
 * HTTP interface; writes the report and its charts.
 *
 * Options: `--quick --data FOLDER --seeds N --rows N --networks cnn,vit --folder .bench/atm --output FILE --fresh`.
 * `--overhead` measures only what a round costs beyond its tuning steps. An interrupted experiment goes on where it was.
 *
 * @module
 */
import { chartFiles } from "./charts.ts";
import { cnn } from "./cnn.ts";
import { reportPage } from "./document.ts";
import type { Network } from "./network.ts";
import { measureOverhead } from "./overhead.ts";
import { readOptions } from "./options.ts";
import { pretrain, type Pretrained } from "./pretrain.ts";
import { chooseRate } from "./rate.ts";
import type { StudyResult } from "./results.ts";
import { startService } from "./service.ts";
import { openShards } from "./shards.ts";
import { runStudy } from "./study.ts";
import { vit } from "./vit.ts";

const NETWORKS: ReadonlyMap<string, Network> = new Map([[cnn.name, cnn], [vit.name, vit]]);

const { plan, data, folder, output, fresh, overhead } = readOptions(Deno.args);
if (overhead) {
  const { steps, tuning, round } = await measureOverhead(data);
  const beyond = (100 * (round - tuning) / tuning).toFixed(1);
  console.log(
    `One round, ViT, two tasks: ${round.toFixed(1)} s, of which ${
      tuning.toFixed(1)
    } s in ${steps} steps; ` +
      `beyond them ${beyond} %`,
  );
  Deno.exit(0);
}
if (fresh) await Deno.remove(folder, { recursive: true }).catch(() => {});
const networks = plan.networks.map((name) => {
  const network = NETWORKS.get(name);
  if (network) return network;
  throw new Error(`--networks must be among ${[...NETWORKS.keys()]}: current value is ${name}`);
});
const service = await startService(folder);
const results: StudyResult[] = [];
try {
  const shards = await openShards(service, data, plan);
  const rates = new Map<Network, number>();
  for (const network of networks) {
    for (const seed of plan.seeds) {
      const tell = (text: string) =>
        console.log(`${network.name}, seed ${seed}, ${service.seconds().toFixed(0)} s: ${text}`);
      const pretrained: Pretrained = await pretrain(service, shards, plan, network, seed);
      const rate = rates.get(network) ?? await chooseRate(pretrained.ground, shards, plan);
      rates.set(network, rate);
      tell(`pretrained, learning rate ${rate}`);
      results.push(await runStudy(pretrained, shards, plan, network, rate, tell));
      // After every study, so that an interrupted experiment leaves what it has.
      await write();
    }
  }
} finally {
  await service.stop();
}
console.log(`Written: ${output}`);

async function write(): Promise<void> {
  const place = output.replace(/[^/]*$/, "");
  const name = output.slice(place.length).replace(/\.md$/, "");
  await Deno.mkdir(`${place}${name}`, { recursive: true });
  await Deno.writeTextFile(`${folder}/results.json`, JSON.stringify(results, null, 1));
  const charts = chartFiles(results, plan);
  for (const { file, svg } of charts) await Deno.writeTextFile(`${place}${name}/${file}`, svg);
  const seconds = service.seconds();
  const cores = navigator.hardwareConcurrency;
  const page = reportPage({ results, plan, charts, folder: name, seconds, cores });
  await Deno.writeTextFile(output, page);
  // So that `deno task check` agrees with what a machine wrote; folders that it leaves out are left out here too.
  const written = [output, ...charts.map(({ file }) => `${place}${name}/${file}`)];
  await new Deno.Command(Deno.execPath(), { args: ["fmt", "--quiet", ...written], stderr: "null" })
    .output();
}
