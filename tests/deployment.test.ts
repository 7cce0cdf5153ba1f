import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { parse } from "yaml";
import { LIMITS } from "../core/limits.ts";

const read = (path: string) => Deno.readTextFile(new URL(`../${path}`, import.meta.url));

/** The blocks of code of a language in a page. */
function blocks(page: string, language: string): string[] {
  return [...page.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, "gms"))].map((
    [, text],
  ) => text!);
}

Deno.test("the Dockerfile runs what the serve task runs, but from the cache and with one folder to write", async () => {
  const dockerfile = await read("Dockerfile");
  const task: string = JSON.parse(await read("deno.json")).tasks.serve;
  const [, environment = "", words = ""] = /^deno task page [^;]*; ((?:\w+=\S+ )*)deno (.*)$/.exec(
    task,
  )!;
  const served = words.replaceAll("'", "").split(" ");
  const command: string[] = JSON.parse(/^CMD (\[.*\])$/m.exec(dockerfile)![1]!);
  const unlike = (word: string) => /^--(?:allow|deny)-write/.test(word) || word === "--cached-only";
  assertEquals(
    command.filter((word) => !unlike(word)),
    served.filter((word) => !unlike(word)),
  );
  assertEquals(command.filter(unlike), ["--cached-only", "--allow-write=/data"]);
  const set = /^ENV (.*)$/m.exec(dockerfile)![1]!.split(" ");
  for (const variable of environment.trim().split(" ")) assert(set.includes(variable), variable);
  assert(set.includes("AMALGAM_DATA=/data"));
  // The version that the documents name.
  const versions = [...dockerfile.matchAll(/^FROM denoland\/deno:(?:distroless-)?(\S+)/gm)];
  assertEquals(new Set(versions.map(([, version]) => version)).size, 1);
  assertStringIncludes(await read("README.md"), `deno@${versions[0]![1]}`);
});

Deno.test("every file that the service needs is copied into the image", async () => {
  const copied = [...(await read("Dockerfile")).matchAll(/^COPY ([^-].*) \S+$/gm)]
    .flatMap(([, paths]) => paths!.split(" "));
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", "serve.ts"],
    cwd: new URL("..", import.meta.url),
  }).output();
  const root = new URL("..", import.meta.url).href;
  const graph = JSON.parse(new TextDecoder().decode(stdout)) as {
    readonly modules: readonly { readonly specifier: string }[];
  };
  const local = graph.modules.filter(({ specifier }) => specifier.startsWith(root));
  assert(local.length > 100);
  for (const { specifier } of local) {
    const path = specifier.slice(root.length);
    assert(copied.some((each) => path === each || path.startsWith(`${each}/`)), path);
  }
});

Deno.test("the notes for Kubernetes are YAML with probes, a grace that suffices, and no rights", async () => {
  const [manifest] = blocks(await read("docs/deploy.md"), "yaml");
  const { spec } = parse(manifest!).spec.template;
  const [container] = spec.containers;
  const grace = Number(
    container.env.find(({ name }: { readonly name: string }) => name === "AMALGAM_GRACE").value,
  );
  assert(spec.terminationGracePeriodSeconds >= grace + 6);
  assertEquals(spec.securityContext.runAsNonRoot, true);
  assertEquals(container.securityContext, {
    readOnlyRootFilesystem: true,
    allowPrivilegeEscalation: false,
    capabilities: { drop: ["ALL"] },
  });
  assertEquals(container.livenessProbe.httpGet.path, "/healthz");
  assertEquals(container.readinessProbe.httpGet.path, "/readyz");
  assert(container.readinessProbe.timeoutSeconds >= 5);
  assertEquals(container.volumeMounts, [{ name: "data", mountPath: "/data" }]);
  assert(container.resources.limits.memory !== undefined);
});

Deno.test("the unit for systemd waits longer than the grace", async () => {
  const [unit] = blocks(await read("docs/deploy.md"), "ini");
  const seconds = Number(/^TimeoutStopSec=(\d+)$/m.exec(unit!)![1]);
  assert(seconds >= LIMITS.grace.fallback + 6);
});

Deno.test("the documents name variables and metrics that there are, and all metrics", async () => {
  const known = new Set<string>([
    ...Object.values(LIMITS).map(({ variable }) => variable),
    ...(await read("core/host/config.ts")).match(/AMALGAM_[A-Z_]+/g)!,
  ]);
  for (const path of ["README.md", "SECURITY.md", "docs/deploy.md", "docs/limits.md"]) {
    for (const name of (await read(path)).match(/AMALGAM_[A-Z_]+/g) ?? []) {
      assert(known.has(name), `${path}: ${name}`);
    }
  }
  const sources = await read("core/telemetry/instruments.ts") +
    await read("core/telemetry/gauges.ts");
  const made = new Set(sources.match(/(?<=")(?:amalgam|process)\.[a-z.]+(?=")/g));
  const page = await read("docs/deploy.md");
  const told = new Set(
    [...page.matchAll(/^\| `((?:amalgam|process)\.[a-z.]+)`/gm)].map(([, name]) => name!),
  );
  assertEquals([...told].sort(), [...made].sort());
});
