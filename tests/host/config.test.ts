import { assertEquals, assertInstanceOf, assertStringIncludes, assertThrows } from "@std/assert";
import { DEFAULT_LIMITS, type LimitName, LIMITS } from "../../core/limits.ts";
import { ConfigError, parseSize, readConfig } from "../../core/host/config.ts";

const FACTS = { processors: 4, edge: false };
const KEY = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

/** The lines of what is wrong with an environment. */
function faultsOf(environment: Record<string, string>): string[] {
  const error = assertThrows(() => readConfig(environment, FACTS));
  assertInstanceOf(error, ConfigError);
  return error.message.split("\n");
}

Deno.test("readConfig() has a default for everything", () => {
  assertEquals(readConfig({}, FACTS), {
    host: "127.0.0.1",
    port: 8000,
    keys: [],
    data: ".amalgam",
    files: undefined,
    sourceHosts: ["huggingface.co", "*.huggingface.co", "*.hf.co"],
    hub: "https://huggingface.co",
    hubToken: undefined,
    maximumUpload: 64 * 2 ** 30,
    memory: 512 * 2 ** 20,
    workers: 4,
    chunkElements: 262_144,
    jobs: "background",
    jobFlush: 64 * 2 ** 20,
    spill: 4 * 2 ** 30,
    engine: "auto",
    log: "info",
    loopbackOnly: true,
    cors: [],
    limits: DEFAULT_LIMITS,
  });
  const edge = readConfig({}, { processors: 16, edge: true });
  assertEquals([edge.data, edge.workers, edge.jobs], [undefined, 0, "listener"]);
  assertEquals(readConfig({}, { processors: 16, edge: false }).workers, 8);
});

Deno.test("readConfig() reads every variable", () => {
  const config = readConfig({
    HOST: " 0.0.0.0 ",
    PORT: "0",
    AMALGAM_KEYS: `${KEY.toUpperCase()}, ${"0".repeat(64)},`,
    AMALGAM_DATA: "memory:",
    AMALGAM_FILES: "/models",
    AMALGAM_SOURCE_HOSTS: "*, 127.0.0.1:9000",
    AMALGAM_HUB: "http://127.0.0.1:9000/hub/",
    AMALGAM_HUB_TOKEN: "hf_x",
    AMALGAM_MAX_UPLOAD: "1.5G",
    AMALGAM_MEMORY: "64M",
    AMALGAM_WORKERS: "0",
    AMALGAM_CHUNK: "4096",
    AMALGAM_JOBS: "listener",
    AMALGAM_JOB_FLUSH: "1M",
    AMALGAM_SPILL: "0",
    AMALGAM_ENGINE: "wasm",
    AMALGAM_LOG: "debug",
    OTHER: "x",
  }, FACTS);
  assertEquals(config, {
    host: "0.0.0.0",
    port: 0,
    keys: [KEY, "0".repeat(64)],
    data: undefined,
    files: "/models",
    sourceHosts: ["*", "127.0.0.1:9000"],
    hub: "http://127.0.0.1:9000/hub",
    hubToken: "hf_x",
    maximumUpload: 1.5 * 2 ** 30,
    memory: 64 * 2 ** 20,
    workers: 0,
    chunkElements: 4096,
    jobs: "listener",
    engine: "wasm",
    log: "debug",
    jobFlush: 2 ** 20,
    spill: 0,
    loopbackOnly: false,
    cors: [],
    limits: { ...DEFAULT_LIMITS, upload: 1.5 * 2 ** 30, memory: 64 * 2 ** 20 },
  });
  // An empty variable is as good as none.
  assertEquals(readConfig({ PORT: "", AMALGAM_DATA: " " }, FACTS), readConfig({}, FACTS));
});

Deno.test("a level of the log that is not offered is refused by name", () => {
  assertEquals(faultsOf({ AMALGAM_LOG: "verbose" }), [
    "AMALGAM_LOG must be one of off, error, info, debug: current value is verbose",
  ]);
});

Deno.test("an engine that is not offered is refused by name", () => {
  assertEquals(faultsOf({ AMALGAM_ENGINE: "cuda" }), [
    "AMALGAM_ENGINE must be one of auto, fused, wasm, webgpu: current value is cuda",
  ]);
});

Deno.test("what drives jobs is refused by name, and how often they are made durable by size", () => {
  assertEquals(faultsOf({ AMALGAM_JOBS: "cron", AMALGAM_JOB_FLUSH: "0" }), [
    "AMALGAM_JOBS must be one of background, listener: current value is cron",
    "AMALGAM_JOB_FLUSH must be a number of bytes such as 512M or 64G: current value is 0",
  ]);
});

Deno.test("readConfig() tells every fault at once, one a line", () => {
  const faults = faultsOf({
    HOST: "0.0.0.0",
    PORT: "65536",
    AMALGAM_SOURCE_HOSTS: "https://example.org",
    AMALGAM_MAX_UPLOAD: "lots",
    AMALGAM_MEMORY: "-1",
    AMALGAM_WORKERS: "0x4",
    AMALGAM_CHUNK: "5000",
  });
  const names = ["HOST", "AMALGAM_SOURCE_HOSTS", "AMALGAM_WORKERS", "AMALGAM_MAX_UPLOAD"]
    .concat("AMALGAM_MEMORY", "PORT", "AMALGAM_CHUNK");
  assertEquals(faults.map((line) => line.split(/[ :]/)[0]), names);
  for (const value of ["0.0.0.0", "65536", "https://example.org", "lots", "-1", "0x4", "5000"]) {
    assertStringIncludes(faults.join("\n"), `current value is ${value}`);
  }
});

Deno.test("readConfig() serves other hosts than loopback only with keys", () => {
  for (const host of ["127.0.0.1", "127.8.9.1", "localhost", "::1"]) {
    assertEquals(readConfig({ HOST: host }, FACTS).host, host);
  }
  for (const host of ["0.0.0.0", "::", "192.168.1.2", "127.0.0.1.example.org", "example.org"]) {
    assertStringIncludes(faultsOf({ HOST: host })[0]!, "AMALGAM_KEYS is not set");
    assertEquals(readConfig({ HOST: host, AMALGAM_KEYS: KEY }, FACTS).keys, [KEY]);
  }
});

Deno.test("readConfig() refuses keys that are no digests, without showing them", () => {
  for (const keys of ["hush", `${KEY},hush`, KEY.slice(1), ","]) {
    const faults = faultsOf({ AMALGAM_KEYS: keys, HOST: "0.0.0.0" });
    assertEquals(faults.length, 1);
    assertStringIncludes(faults[0]!, "64 hexadecimal digits");
    assertEquals(faults[0]!.includes("hush"), false);
  }
});

Deno.test("parseSize() reads suffixes as powers of 1024", () => {
  const sizes: [string, number | undefined][] = [
    ["1", 1],
    ["1k", 1024],
    ["2 MiB", 2 * 2 ** 20],
    ["3GB", 3 * 2 ** 30],
    ["0.5T", 2 ** 39],
    ["0", undefined],
    ["", undefined],
    ["1X", undefined],
    ["9999999T", undefined],
    ["1e3", undefined],
  ];
  for (const [text, bytes] of sizes) assertEquals(parseSize(text), bytes, text);
});

Deno.test("readConfig() allows the operator's own hub, and refuses an address with secrets unseen", () => {
  const own = readConfig({ AMALGAM_HUB: "https://hub.example/" }, FACTS);
  assertEquals([own.hub, own.sourceHosts.at(-1)], ["https://hub.example", "hub.example:443"]);
  const listed = { AMALGAM_HUB: "http://127.0.0.1:9", AMALGAM_SOURCE_HOSTS: "example.org" };
  assertEquals(readConfig(listed, FACTS).sourceHosts, ["example.org"]);
  for (
    const hub of [
      "ftp://hub.example",
      "https://a:hush@hub.example",
      "https://hub.example?hush",
      "hush",
    ]
  ) {
    const faults = faultsOf({ AMALGAM_HUB: hub });
    assertStringIncludes(faults.join(), "AMALGAM_HUB must be");
    assertEquals(faults.join().includes("hush"), false);
  }
  assertStringIncludes(faultsOf({ AMALGAM_HUB_TOKEN: "a b" }).join(), "AMALGAM_HUB_TOKEN must be");
});

Deno.test("readConfig() reads a variable for every limit, from its least to its greatest value", () => {
  for (const name of Object.keys(LIMITS) as LimitName[]) {
    const { variable, minimum, maximum } = LIMITS[name];
    for (const value of [minimum, maximum]) {
      // Beyond 2^53 a number of bytes cannot be told exactly.
      assertEquals(readConfig({ [variable]: String(value) }, FACTS).limits[name], value, variable);
    }
    for (const value of [minimum - 1, maximum + 1, "x", "1e3", "-5"]) {
      const faults = faultsOf({ [variable]: String(value) });
      assertEquals(faults.length, 1, variable);
      assertStringIncludes(faults[0]!, `${variable} must be`);
      assertStringIncludes(faults[0]!, `current value is ${value}`);
    }
  }
});

Deno.test("readConfig() takes half of the machine's memory where nothing else is said", () => {
  const machine = { ...FACTS, memory: 8 * 2 ** 30 };
  assertEquals(readConfig({}, machine).limits.memory, 4 * 2 ** 30);
  assertEquals(readConfig({}, { ...FACTS, memory: 2 ** 20 }).memory, 512 * 2 ** 20);
  assertEquals(readConfig({ AMALGAM_MEMORY: "1G" }, machine).memory, 2 ** 30);
});

Deno.test("readConfig() reads scopes of keys and refuses others without showing a key", () => {
  const keys = `${KEY}:read+merge,${"0".repeat(64)}`;
  assertEquals(readConfig({ AMALGAM_KEYS: keys }, FACTS).keys, keys.split(","));
  for (const scopes of ["", "all", "read+", "read merge", "read:merge"]) {
    const faults = faultsOf({ AMALGAM_KEYS: `${KEY}:${scopes}` });
    assertEquals([faults.length, faults[0]!.includes(KEY)], [1, false], scopes);
    assertStringIncludes(faults[0]!, "AMALGAM_KEYS must list");
  }
});

Deno.test("readConfig() reads origins and refuses what is none", () => {
  const cors = "https://app.example.org, http://localhost:5173";
  assertEquals(readConfig({ AMALGAM_CORS: cors }, FACTS).cors, cors.split(", "));
  for (const origin of ["app.example.org", "https://app.example.org/", "null", "ftp://a.example"]) {
    assertStringIncludes(faultsOf({ AMALGAM_CORS: origin })[0]!, "AMALGAM_CORS must list origins");
  }
  const secret = faultsOf({ AMALGAM_CORS: "https://me:hush@app.example.org" }).join();
  assertEquals(secret.includes("hush"), false);
});

Deno.test("readConfig() answers this machine only as long as no key is set, except at the edge", () => {
  assertEquals(readConfig({}, FACTS).loopbackOnly, true);
  assertEquals(readConfig({ AMALGAM_KEYS: KEY }, FACTS).loopbackOnly, false);
  assertEquals(readConfig({}, { processors: 1, edge: true }).loopbackOnly, false);
});
