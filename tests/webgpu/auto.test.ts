import { assert, assertEquals } from "@std/assert";
import type { EngineChoice } from "../../core/engine/engine_name.ts";
import { workerPool } from "../../core/engine/pool.ts";
import { moduleWorkers } from "../../core/engine/start_worker.ts";
import { compareEngines } from "../../core/engine/webgpu/compare_engines.ts";

Deno.test("both engines are measured on work of every kind", async () => {
  const executor = workerPool(1, "webgpu");
  let clock = 0;
  // A clock on which every chunk takes long: each is measured once.
  const measured = await compareEngines({ executor, now: () => clock += 1000 });
  assertEquals(
    measured.map(({ work, elements }) => `${work} ${elements}`),
    ["map", "sums", "selected"].flatMap((work) => [16384, 262144].map((size) => `${work} ${size}`)),
  );
  for (const { fused, webgpu } of measured) assert(fused > 0 && webgpu > 0);
  await executor.close();
});

Deno.test("auto finds the software adapter, and stays with the processor", async () => {
  const told = Promise.withResolvers<EngineChoice>();
  const pool = workerPool(1, "auto", moduleWorkers, { measures: true, onChosen: told.resolve });
  const before = await pool.engine!();
  assertEquals([before.name, before.adapter], ["fused", undefined]);
  const choice = await told.promise;
  assertEquals([choice.name, choice.software], ["fused", true]);
  assert(choice.adapter!.length > 0);
  assert(choice.reason?.startsWith("software-adapter: "), choice.reason);
  assertEquals(await pool.engine!(), choice);
  await pool.close();
});
