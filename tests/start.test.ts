import { assertEquals, assertMatch } from "@std/assert";
import { inFolder } from "./support/temporary_folder.ts";

/** Starts the service with a wrong environment; what it says before it ends. */
async function refused(environment: Readonly<Record<string, string>>): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", "-A", new URL("../serve.ts", import.meta.url).pathname],
    env: { HOST: "127.0.0.1", PORT: "0", AMALGAM_DATA: "memory:", NO_COLOR: "1", ...environment },
  }).output();
  const text = new TextDecoder().decode(stderr);
  assertEquals([code, new TextDecoder().decode(stdout)], [1, ""], text);
  const [first, ...faults] = text.trim().split("\n");
  assertEquals(first, "The environment is wrong:");
  assertEquals(faults.length, 1, text);
  return faults[0]!;
}

Deno.test("a service that cannot begin says which variable is wrong, and its value, in one line", async () => {
  await inFolder(async (folder) => {
    const file = `${folder}/file`;
    await Deno.writeTextFile(file, "");
    const taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const port = String(taken.addr.port);
    const told = await Promise.all([
      refused({ AMALGAM_DATA: file }),
      refused({ AMALGAM_FILES: `${folder}/none` }),
      refused({ AMALGAM_FILES: file }),
      refused({ PORT: port }),
      refused({ AMALGAM_MAX_RUNING: "3" }),
    ]);
    taken.close();
    assertMatch(told[0]!, /^AMALGAM_DATA must be .*: current value is .*\/file \(Not a directory/);
    assertMatch(told[1]!, /^AMALGAM_FILES must be a folder .*: current value is .*\/none$/);
    assertMatch(told[2]!, /^AMALGAM_FILES must be a folder .*: current value is .*\/file$/);
    assertMatch(told[3]!, /^HOST and PORT must be .*: current value is 127\.0\.0\.1:\d+ \(/);
    assertMatch(
      told[4]!,
      /^AMALGAM_MAX_RUNING is no setting, did you mean "AMALGAM_MAX_RUNNING": current value is 3$/,
    );
  });
});
