import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { mergedBytes } from "./support/merge_requests.ts";
import { safetensorsBytes } from "./support/safetensors_bytes.ts";
import { serveFlags } from "./support/serve_flags.ts";
import { inFolder } from "./support/temporary_folder.ts";

/** Starts `deno task serve` on a free port; answers its address and a function that ends it. */
async function started(environment: Record<string, string>) {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["task", "--quiet", "serve"],
    cwd: new URL("..", import.meta.url),
    env: { PORT: "0", HOST: "127.0.0.1", AMALGAM_WORKERS: "1", NO_COLOR: "1", ...environment },
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const errors = new Response(child.stderr).text();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let log = "";
  let address: string | undefined;
  while (address === undefined) {
    const { done, value } = await reader.read();
    if (done) throw new Error(`The service ended: ${log} ${await errors}`);
    log += value;
    address = /listens on (http:\/\/127\.0\.0\.1:\d+)/.exec(log)?.[1];
  }
  return {
    address,
    async stop() {
      child.kill("SIGTERM");
      for (let more = await reader.read(); !more.done; more = await reader.read()) {
        log += more.value;
      }
      const { code } = await child.status;
      return { code, log: log + await errors };
    },
  };
}

function scalar(value: number) {
  const header = '{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}';
  const bytes = safetensorsBytes(header, 4);
  new DataView(bytes.buffer).setFloat32(bytes.length - 4, value, true);
  return bytes;
}

Deno.test("the serve task merges and keeps files with its narrow permissions, and reaches no metadata service", async () => {
  await inFolder(async (folder) => {
    // An operator who lists a metadata service by mistake: what the program lets through, Deno does not.
    const { address, stop } = await started({
      AMALGAM_DATA: `${folder}/data`,
      AMALGAM_SOURCE_HOSTS: "169.254.169.254:80",
      AMALGAM_SOURCE_STALL: "5",
    });
    const stored: string[] = [];
    for (const value of [1, 3]) {
      const response = await fetch(`${address}/checkpoints`, {
        method: "POST",
        body: scalar(value),
      });
      assertEquals(response.status, 201);
      stored.push((await response.json()).id);
    }
    const recipe = (sources: Record<string, unknown>) =>
      JSON.stringify({
        merge_method: "linear",
        models: Object.keys(sources).map((model) => ({ model, parameters: { weight: 1 } })),
        sources,
      });
    const post = (path: string, body: string) =>
      fetch(`${address}${path}`, {
        method: "POST",
        body,
        headers: { "content-type": "application/json" },
      });
    const merged = await mergedBytes(
      await post("/merge", recipe({ a: { checkpoint: stored[0] }, b: { checkpoint: stored[1] } })),
    );
    assertEquals(new DataView(merged.buffer).getFloat32(merged.length - 4, true), 2);

    const url = "http://169.254.169.254/latest/meta-data/?token=hush";
    const began = performance.now();
    const refused = await post("/plan", recipe({ a: { url } }));
    const problem = await refused.json();
    assertEquals([refused.status, problem.type], [502, "/problems/upstream"], problem.detail);
    assertStringIncludes(problem.detail, "could not be reached");
    assert(performance.now() - began < 15_000);

    const { code, log } = await stop();
    assertEquals(code, 0, log);
    assertEquals(log.includes("hush"), false, log);
  });
});

Deno.test("the serve task's permissions deny metadata services, programs and its own code", async () => {
  const flags = await serveFlags();
  const asked: Deno.PermissionDescriptor[] = [
    { name: "net", host: "169.254.169.254" },
    { name: "net", host: "169.254.170.2:80" },
    { name: "net", host: "100.100.100.200" },
    { name: "net", host: "168.63.129.16" },
    { name: "net", host: "[fd00:ec2::254]" },
    { name: "net", host: "[::ffff:169.254.169.254]" },
    { name: "write", path: "core/problem.ts" },
    { name: "write", path: "main.ts" },
    { name: "run" },
    { name: "ffi" },
    { name: "env", variable: "PATH" },
    { name: "sys", kind: "networkInterfaces" },
    { name: "net", host: "127.0.0.1" },
    { name: "env", variable: "AMALGAM_KEYS" },
  ];
  const script = `for (const permission of ${JSON.stringify(asked)}) ` +
    "console.log((await Deno.permissions.query(permission)).state)";
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", ...flags, `data:application/javascript,${encodeURIComponent(script)}`],
    cwd: new URL("..", import.meta.url),
    env: { NO_COLOR: "1" },
  }).output();
  const states = new TextDecoder().decode(stdout).trim().split("\n");
  assertEquals(states.length, asked.length);
  for (const [i, permission] of asked.entries()) {
    const wanted = i < asked.length - 2;
    assertEquals(states[i] !== "granted", wanted, JSON.stringify(permission));
  }
});

Deno.test("the serve task refuses a public host without keys, and finds a misspelt setting", async () => {
  const environment = { HOST: "0.0.0.0", AMALGAM_DATA: "memory:", AMALGAM_MAX_RUNING: "3" };
  let message = "";
  await started(environment).catch((error) => message = String(error));
  assertStringIncludes(
    message,
    "HOST must be a loopback address as long as AMALGAM_KEYS is not set",
  );
  assertStringIncludes(message, 'AMALGAM_MAX_RUNING is no setting, did you mean "AMALGAM_MAX_');
});
