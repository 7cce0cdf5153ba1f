import { assertEquals } from "@std/assert";
import type { MapJob } from "../../core/engine/chunk_job.ts";
import { engineChooser } from "../../core/engine/engine_name.ts";
import { findAdapter } from "../../core/engine/webgpu/adapter.ts";
import { createGpuJobs } from "../../core/engine/webgpu/gpu_jobs.ts";
import type { GpuEngine } from "../../core/engine/webgpu/webgpu_runtime.ts";

const host = (info: object, f16 = false) => ({
  gpu: {
    requestAdapter: () => Promise.resolve({ info, features: { has: () => f16 } }),
  },
});

Deno.test("adapters are named, and known for software by their names", async () => {
  assertEquals(await findAdapter(host({ description: "NVIDIA H200", vendor: "4318" }, true)), {
    name: "NVIDIA H200",
    software: false,
    f16: true,
  });
  assertEquals(await findAdapter(host({ vendor: "apple", architecture: "metal-3" })), {
    name: "apple metal-3",
    software: false,
    f16: false,
  });
  for (
    const info of [
      { description: "llvmpipe (LLVM 15.0.6, 256 bits)" },
      { vendor: "google", architecture: "swiftshader" },
      { description: "Microsoft Basic Render Driver" },
      { description: "any", isFallbackAdapter: true },
    ]
  ) {
    assertEquals((await findAdapter(host(info)))?.software, true, JSON.stringify(info));
  }
  assertEquals((await findAdapter(host({})))?.name, "unnamed");
});

Deno.test("a host without WebGPU, without an adapter, or that fails has none", async () => {
  for (
    const without of [
      {},
      { gpu: { requestAdapter: () => Promise.resolve(null) } },
      { gpu: { requestAdapter: () => Promise.reject(new Error("no driver")) } },
    ]
  ) assertEquals(await findAdapter(without), undefined);
});

Deno.test("an engine is chosen as asked; a GPU that is not there or was lost is told with its reason", async () => {
  let asked = 0;
  const told: { lost?: string } = {};
  const adapter = { name: "NVIDIA H200", software: false, f16: true };
  const find = () => {
    asked++;
    return Promise.resolve(adapter);
  };
  const ports = { adapter: find, lost: () => told.lost };
  assertEquals(await engineChooser("auto", ports)(), { name: "fused" });
  assertEquals(await engineChooser("fused", ports)(), { name: "fused" });
  assertEquals(await engineChooser("wasm", ports)(), { name: "wasm" });
  assertEquals(asked, 0);
  const choose = engineChooser("webgpu", ports);
  const chosen = { name: "webgpu", adapter: "NVIDIA H200", software: false } as const;
  assertEquals(await choose(), chosen);
  told.lost = "device-failed: it burns";
  assertEquals(await choose(), { ...chosen, name: "fused", fallback: told.lost });
  assertEquals(asked, 1);
  const without = { ...ports, adapter: () => Promise.resolve(undefined) };
  assertEquals(await engineChooser("webgpu", without)(), {
    name: "fused",
    fallback: "no-adapter: the host offers no WebGPU adapter",
  });
});

Deno.test("jobs that ask for the GPU go there until one fails", async () => {
  let closed = 0;
  const fail = () => Promise.reject(new Error("out of memory"));
  const engine: GpuEngine = {
    run: fail,
    runHeld: fail,
    device: fail,
    warm: () => Promise.resolve(),
    close: () => Promise.resolve(void closed++),
  };
  const jobs = createGpuJobs(0, engine);
  const asking = { stage: "map", device: true } as MapJob;
  assertEquals([jobs.takes(asking), jobs.takes({ stage: "map" } as MapJob)], [true, false]);
  assertEquals(await jobs.attempt(() => Promise.resolve(3)), { result: 3 });
  assertEquals(jobs.takes(asking), true);
  const failed = await jobs.attempt((device) => device.run("key", () => new Uint8Array(), {}));
  assertEquals(failed, { fallback: "device-failed: out of memory" });
  assertEquals([jobs.takes(asking), closed], [false, 1]);
});
