import { assert, assertEquals } from "@std/assert";
import process from "node:process";
import { hostEnvironment, hostFacts } from "../../core/host/environment.ts";

Deno.test("hostEnvironment() reads variables by their names", () => {
  const name = `AMALGAM_TEST_${crypto.randomUUID().slice(0, 8)}`;
  assertEquals(hostEnvironment()[name], undefined);
  Deno.env.set(name, "x");
  assertEquals(hostEnvironment()[name], "x");
  assert(Object.keys(hostEnvironment()).includes(name));
  Deno.env.delete(name);
});

Deno.test("hostFacts() tells no more memory than the machine has, and none at the edge", () => {
  const { memory, processors } = hostFacts(false);
  assert(memory !== undefined && memory > 0 && memory <= Deno.systemMemoryInfo().total);
  assertEquals(processors, navigator.hardwareConcurrency);
  assertEquals(hostFacts(true), { processors, edge: true });
});

Deno.test("hostFacts() tells what the control group may use, where that is less", () => {
  const { total } = Deno.systemMemoryInfo();
  const memoryOf = (constrained: () => number) => hostFacts(false, constrained).memory;
  assertEquals(memoryOf(() => 2 ** 28), 2 ** 28);
  // Without a limit systems say 0, or more than there is.
  assertEquals([memoryOf(() => 0), memoryOf(() => 2 ** 63)], [total, total]);
  assertEquals(
    memoryOf(() => {
      throw new Error("Not offered here");
    }),
    total,
  );
});

Deno.test("the limit of a control group can be read with what the serve task permits", async () => {
  const program = 'import process from "node:process"; console.log(process.constrainedMemory())';
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-prompt",
      "--allow-sys=systemMemoryInfo",
      `data:text/javascript,${encodeURIComponent(program)}`,
    ],
    env: { NO_COLOR: "1" },
  }).output();
  assertEquals(new TextDecoder().decode(stderr), "");
  assertEquals(Number(new TextDecoder().decode(stdout)), process.constrainedMemory());
});
