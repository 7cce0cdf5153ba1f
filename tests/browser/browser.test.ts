import { assertEquals } from "@std/assert";

const ROOT = new URL("../../", import.meta.url);
/** Folders whose modules run in the service and in the browser alike. */
const ROOMS = ["core/", "routes/"];
/** Runs on a developer's machine, or in the service alone. */
const HOSTED = [
  "core/host/",
  "core/tensor/kernels/assembly/",
  "routes/page/build.ts",
];

/** The modules that must know no host, in order. */
async function neutralModules(): Promise<string[]> {
  const paths: string[] = [];
  async function walk(folder: string): Promise<void> {
    for await (
      const { name, isDirectory } of Deno.readDir(new URL(folder, ROOT))
    ) {
      if (name === "built") continue;
      if (isDirectory) await walk(`${folder}${name}/`);
      else if (/\.tsx?$/.test(name)) paths.push(folder + name);
    }
  }
  for (const room of ROOMS) await walk(room);
  return paths.filter((path) => !HOSTED.some((hosted) => path.startsWith(hosted))).sort();
}

function read(path: string): Promise<string> {
  return Deno.readTextFile(new URL(path, ROOT));
}

Deno.test("The browser's type check leaves out core/host/ and tools, and nothing else", async () => {
  const { exclude } = JSON.parse(await read("tests/browser/deno.json"));
  assertEquals(exclude, [
    "../../core/host",
    "../../core/tensor/kernels/assembly",
  ]);
  const { tasks } = JSON.parse(await read("deno.json"));
  assertEquals(
    tasks["check:browser"],
    "deno check --config tests/browser/deno.json core routes/page/entries",
  );
});

// What comments say does not count. The type check cannot see this: modules of Node have types wherever a package asks for them.
Deno.test("No module of core/ outside core/host/, and none of routes/, names a host or imports from one", async () => {
  const found: string[] = [];
  for (const path of await neutralModules()) {
    const text = (await read(path)).replaceAll(/^\s*(?:\/\/|\/?\*).*$/gm, "");
    const names = text.match(/\bDeno\b|["'`]node:|["'][./]*\/host\/[^"']*["']/g) ?? [];
    found.push(...names.map((name) => `${path}: ${name}`));
  }
  assertEquals(found, []);
});

Deno.test("The browser's type check has the project's packages and strictness", async () => {
  const [project, browser] = (await Promise.all(["deno.json", "tests/browser/deno.json"].map(read)))
    .map((text) => JSON.parse(text));
  for (const [name, version] of Object.entries(browser.imports)) {
    assertEquals(version, project.imports[name], name);
  }
  const { lib, ...options } = browser.compilerOptions;
  assertEquals(lib, ["dom", "dom.iterable", "dom.asynciterable", "esnext"]);
  assertEquals(
    { ...options, lib: project.compilerOptions.lib },
    project.compilerOptions,
  );
});
