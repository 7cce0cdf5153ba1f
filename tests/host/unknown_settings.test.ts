import { assertEquals } from "@std/assert";
import { LIMITS } from "../../core/limits.ts";
import { ConfigError, readConfig } from "../../core/host/config.ts";

const FACTS = { processors: 4, edge: false };
const ROOT = new URL("../../", import.meta.url);

/** What is wrong with an environment, line by line. */
function faultsOf(environment: Record<string, string>): string[] {
  try {
    readConfig(environment, FACTS);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split("\n");
    throw error;
  }
}

Deno.test("a misspelt setting is refused with the name that was meant", () => {
  const cases: [name: string, meant: string][] = [
    ["AMALGAM_MAX_RUNING", "AMALGAM_MAX_RUNNING"],
    ["AMALGAM_MAXRUNNING", "AMALGAM_MAX_RUNNING"],
    ["AMALGAM_max_jobs", "AMALGAM_MAX_JOBS"],
    ["AMALGAM_WORKER", "AMALGAM_WORKERS"],
    ["AMALGAM_FLIES", "AMALGAM_FILES"],
    ["AMALGAM_PORT", "PORT"],
    ["AMALGAM_HOST", "HOST"],
  ];
  for (const [name, meant] of cases) {
    assertEquals(faultsOf({ [name]: " 3 " }), [
      `${name} is no setting, did you mean "${meant}": ` +
      "current value is 3",
    ]);
  }
});

Deno.test("misspelt settings are told with all other faults, each in a line, in the order of their names", () => {
  const faults = faultsOf({ AMALGAM_WROKERS: "1", PORT: "x", AMALGAM_LOGS: "off" });
  assertEquals(faults.map((line) => line.split(" ")[0]), [
    "PORT",
    "AMALGAM_LOGS",
    "AMALGAM_WROKERS",
  ]);
});

Deno.test("what may be a secret is not shown", () => {
  const names = ["AMALGAM_KEY", "AMALGAM_HUB_TOKN", "AMALGAM_HUBS", "AMALGAM_SIGNING_SECRET"];
  for (const name of names) {
    const faults = faultsOf({ [name]: "hush" });
    assertEquals([faults.length, faults.join().includes("hush")], [1, false], name);
  }
  assertEquals(faultsOf({ AMALGAM_SIGNING_SECRET: "hush" }), [
    "AMALGAM_SIGNING_SECRET is no setting",
  ]);
});

Deno.test("variables of others, empty ones, and what Kubernetes adds for a service called amalgam are left alone", () => {
  assertEquals(
    faultsOf({
      AMALGAMATE: "x",
      amalgam_log: "x",
      AMALGAM_MAX_RUNING: " ",
      AMALGAM_SERVICE_HOST: "10.0.0.1",
      AMALGAM_SERVICE_PORT: "80",
      AMALGAM_SERVICE_PORT_HTTP: "80",
      AMALGAM_PORT: "tcp://10.0.0.1:80",
      AMALGAM_PORT_80_TCP: "tcp://10.0.0.1:80",
      AMALGAM_PORT_80_TCP_PROTO: "tcp",
      AMALGAM_PORT_80_TCP_PORT: "80",
      AMALGAM_PORT_80_TCP_ADDR: "10.0.0.1",
      AMALGAM_WEB_SERVICE_HOST: "10.0.0.2",
    }),
    [],
  );
});

Deno.test("every variable that the documentation names is known", async () => {
  const names = new Set(Object.values(LIMITS).map(({ variable }): string => variable));
  for (
    const page of ["README.md", "SECURITY.md", "Dockerfile", "docs/deploy.md", "docs/limits.md"]
  ) {
    const text = await Deno.readTextFile(new URL(page, ROOT));
    for (const [name] of text.matchAll(/\bAMALGAM_[A-Z_]*[A-Z]\b/g)) names.add(name);
  }
  const faults = faultsOf(Object.fromEntries([...names].map((name) => [name, "?"])));
  assertEquals(faults.filter((line) => line.includes("is no setting")), []);
});
