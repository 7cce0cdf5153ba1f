import { assert, assertEquals } from "@std/assert";
import { hostEnvironment, hostFacts } from "../../core/host/environment.ts";

Deno.test("hostEnvironment() reads variables by their names", () => {
  const name = `AMALGAM_TEST_${crypto.randomUUID().slice(0, 8)}`;
  assertEquals(hostEnvironment()[name], undefined);
  Deno.env.set(name, "x");
  assertEquals(hostEnvironment()[name], "x");
  Deno.env.delete(name);
});

Deno.test("hostFacts() tells no more memory than the machine has, and none at the edge", () => {
  const { memory, processors } = hostFacts(false);
  assert(memory !== undefined && memory > 0 && memory <= Deno.systemMemoryInfo().total);
  assertEquals(processors, navigator.hardwareConcurrency);
  assertEquals(hostFacts(true), { processors, edge: true });
});
