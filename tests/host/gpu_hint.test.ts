import { assertEquals } from "@std/assert";
import { mayHaveGpu } from "../../core/host/gpu_hint.ts";

Deno.test("only Linux tells by its devices that there is no GPU", () => {
  assertEquals(mayHaveGpu("linux", () => false), false);
  assertEquals(mayHaveGpu("linux", (path) => path === "/dev/dri"), true);
  assertEquals(mayHaveGpu("linux", (path) => path === "/dev/nvidiactl"), true);
  assertEquals(mayHaveGpu("darwin", () => false), true);
});
