import { assert, assertEquals } from "@std/assert";
import type { ChunkExecutor, ChunkJob } from "../../core/engine/chunk_job.ts";
import { type EngineChoice, engineChooser, roundingOf } from "../../core/engine/engine_name.ts";
import { autoChoice } from "../../core/engine/webgpu/auto_choice.ts";
import type { FoundAdapter } from "../../core/engine/webgpu/adapter.ts";
import {
  deviceSizes,
  type DeviceWork,
  type Measured,
} from "../../core/engine/webgpu/device_sizes.ts";

const GPU: FoundAdapter = { name: "NVIDIA H200", software: false, f16: true };

/** What is measured where a chunk costs each engine something at once, and something for each element. */
function measured(
  work: DeviceWork,
  fused: readonly [number, number],
  webgpu: readonly [number, number],
): Measured[] {
  const each = ([start, slope]: readonly [number, number], elements: number) =>
    start / elements + slope;
  return [1 << 14, 1 << 18].map((elements) => ({
    work,
    elements,
    fused: each(fused, elements),
    webgpu: each(webgpu, elements),
  }));
}

Deno.test("the GPU is for what it is measured faster for, from the size on from which it is", () => {
  assertEquals(deviceSizes(measured("map", [1000, 1.3], [50_000, 0.3])), { map: 131072 });
  assertEquals(deviceSizes(measured("map", [1000, 1.3], [10_000, 0.1])), { map: 16384 });
  assertEquals(deviceSizes(measured("map", [1000, 1.3], [0, 0.1])), { map: 4096 });
  assertEquals(deviceSizes(measured("map", [0, 1.3], [0, 18])), undefined);
  assertEquals(
    deviceSizes([
      ...measured("map", [0, 1], [0, 2]),
      ...measured("sums", [0, 3], [90_000, 1]),
      ...measured("selected", [0, 4], [1e9, 1]),
    ]),
    { sums: 65536 },
  );
});

Deno.test("a little faster is not enough, and nothing or one size tells nothing", () => {
  assertEquals(deviceSizes(measured("map", [0, 1.2], [0, 1])), undefined);
  assertEquals(deviceSizes(measured("map", [0, 1.3], [0, 1])), { map: 4096 });
  assertEquals(deviceSizes([]), undefined);
  assertEquals(deviceSizes(measured("map", [0, 9], [0, 1]).slice(1)), undefined);
});

Deno.test("faster on small chunks alone is not taken: large tensors are made of large ones", () => {
  assertEquals(
    deviceSizes([
      { work: "map", elements: 1 << 14, fused: 2, webgpu: 1 },
      { work: "map", elements: 1 << 18, fused: 1, webgpu: 2 },
    ]),
    undefined,
  );
});

/** Nanoseconds for an element that jobs take, on a clock of their own. */
function machine(
  found: FoundAdapter | undefined,
  cost: { fused: number; webgpu: number },
  fails?: string,
) {
  let clock = 0;
  const told: EngineChoice[] = [];
  const opened: string[] = [];
  const waiting: (() => void)[] = [];
  let open = 0;
  let jobs = 0;
  const executor = (): ChunkExecutor => ({
    width: 2,
    run(job: ChunkJob) {
      jobs++;
      if (job.stage === "adapter") return Promise.resolve(found ? { adapter: found } : {});
      if (job.stage !== "map" && job.stage !== "reduce") throw new Error(job.stage);
      clock += (job.device ? cost.webgpu : cost.fused) * job.inputs.count / 1e6 + 1e-3;
      return Promise.resolve(job.device && fails !== undefined ? { fallback: fails } : {});
    },
    broadcast: () => Promise.resolve([]),
    warm: () => Promise.resolve(),
    close: () => Promise.resolve(void open--),
  });
  const auto = autoChoice({
    open(threads) {
      opened.push(threads);
      open++;
      return executor();
    },
    now: () => clock,
    later(run) {
      waiting.push(run);
      return () => void waiting.splice(0);
    },
    onChosen: (choice) => told.push(choice),
  });
  return { auto, told, opened, waiting, open: () => open, jobs: () => jobs };
}

Deno.test("nothing is measured before anybody asks, nobody waits, and it is done once", async () => {
  const { auto, told, opened, waiting, open } = machine(GPU, { fused: 3, webgpu: 1 });
  assertEquals([opened, waiting.length], [[], 0]);
  const first = auto.current();
  assertEquals([first.name, first.reason?.split(":")[0]], ["fused", "not-measured"]);
  auto.current();
  assertEquals([opened, waiting.length], [[], 1]);
  waiting[0]!();
  const choice = await auto.settled;
  assertEquals(auto.current(), choice);
  assertEquals([choice.name, choice.adapter, choice.software], ["webgpu", GPU.name, false]);
  assertEquals(choice.from, { map: 4096, sums: 4096, selected: 4096 });
  assertEquals(choice.measured?.length, 6);
  for (const { fused, webgpu } of choice.measured!) assert(fused > 2 * webgpu);
  assertEquals(opened, ["one", "all"]);
  assertEquals([open(), told], [0, [choice]]);
});

Deno.test("where the GPU is slower, is played by the processor, is not there or fails, it is not taken", async () => {
  const software = { ...GPU, name: "llvmpipe", software: true };
  const cases = [
    [machine(GPU, { fused: 1, webgpu: 5 }), "slower", ["one", "all"]],
    [machine(software, { fused: 5, webgpu: 1 }), "software-adapter", ["one"]],
    [machine(undefined, { fused: 5, webgpu: 1 }), "no-adapter", ["one"]],
    [machine(GPU, { fused: 5, webgpu: 1 }, "device-failed: it burns"), "not-measured", [
      "one",
      "all",
    ]],
  ] as const;
  for (const [{ auto, waiting, opened, open }, reason, expected] of cases) {
    auto.current();
    waiting[0]!();
    const choice = await auto.settled;
    assertEquals([choice.name, choice.from], ["fused", undefined], reason);
    assert(choice.reason?.startsWith(`${reason}: `), choice.reason);
    assertEquals([opened, open()], [[...expected], 0]);
  }
});

Deno.test("what is closed measures nothing, and tells nothing", async () => {
  const { auto, told, opened, waiting } = machine(GPU, { fused: 3, webgpu: 1 });
  auto.current();
  const [run] = waiting;
  await auto.close();
  assertEquals(waiting.length, 0);
  run!();
  assertEquals((await auto.settled).name, "fused");
  assertEquals([opened, told], [[], []]);
});

Deno.test("a GPU that is lost is given up, and what only tells of a choice rounds nothing", async () => {
  const told: { lost?: string } = {};
  const choice: EngineChoice = {
    name: "webgpu",
    adapter: GPU.name,
    software: false,
    from: { map: 4096 },
    reason: "faster: from those sizes on",
    measured: [],
  };
  const choose = engineChooser("auto", {
    adapter: () => Promise.reject(new Error("not asked")),
    lost: () => told.lost,
    auto: () => choice,
  });
  assertEquals(await choose(), choice);
  assertEquals(roundingOf(choice), {
    name: "webgpu",
    adapter: GPU.name,
    software: false,
    from: { map: 4096 },
  });
  told.lost = "device-failed: it burns";
  const { name, fallback, from } = await choose();
  assertEquals([name, fallback, from], ["fused", told.lost, undefined]);
});
