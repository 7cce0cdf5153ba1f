import { assertEquals } from "@std/assert";
import type { MapJob } from "../../core/engine/chunk_job.ts";
import { engineChooser } from "../../core/engine/engine_name.ts";
import type { Engine } from "../../core/engine/engine.ts";
import { findAdapter } from "../../core/engine/webgpu/adapter.ts";
import { createGpuMaps } from "../../core/engine/webgpu/gpu_maps.ts";

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
  assertEquals(await engineChooser("auto", find, () => told.lost)(), { name: "fused" });
  assertEquals(await engineChooser("fused", find, () => told.lost)(), { name: "fused" });
  assertEquals(await engineChooser("wasm", find, () => told.lost)(), { name: "wasm" });
  assertEquals(asked, 0);
  const choose = engineChooser("webgpu", find, () => told.lost);
  const chosen = { name: "webgpu", adapter: "NVIDIA H200", software: false } as const;
  assertEquals(await choose(), chosen);
  told.lost = "device-failed: it burns";
  assertEquals(await choose(), { ...chosen, name: "fused", fallback: told.lost });
  assertEquals(asked, 1);
  assertEquals(await engineChooser("webgpu", () => Promise.resolve(undefined), () => told.lost)(), {
    name: "fused",
    fallback: "no-adapter: the host offers no WebGPU adapter",
  });
});

Deno.test("maps in float32 go to the GPU until one fails", async () => {
  let closed = 0;
  const engine: Engine = {
    run: () => Promise.reject(new Error("out of memory")),
    warm: () => Promise.resolve(),
    close: () => Promise.resolve(void closed++),
  };
  const maps = createGpuMaps(engine);
  const job = (double: boolean) => ({ stage: "map", double }) as MapJob;
  assertEquals([maps.takes(job(false)), maps.takes(job(true))], [true, false]);
  assertEquals(await maps.attempt(() => Promise.resolve()), undefined);
  assertEquals(maps.takes(job(false)), true);
  const reason = await maps.attempt(async (device) =>
    void await device.run("key", () => new Uint8Array(), {})
  );
  assertEquals(reason, "device-failed: out of memory");
  assertEquals([maps.takes(job(false)), closed], [false, 1]);
});
