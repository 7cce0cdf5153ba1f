/**
 * Builds the page: `deno task page`. Nothing is built that is built already.
 *
 * Scripts are bundled by Deno, which fetches its bundler from npm like any package; the result stands in
 * `routes/page/built/`, from where the service serves it.
 *
 * @module
 */

const HERE = new URL("./", import.meta.url);
const ROOT = new URL("../../", HERE);
const BUILT = new URL("built/", HERE);

/** Scripts that a browser loads by their names, in one folder; what they share is in chunks of its own. */
const ENTRIES = ["main", "service", "here", "chunks", "workspace", "hash"].map((name) =>
  `entries/${name}.ts`
);
/** ONNX Runtime's code for a processor, and for a GPU. */
const RUNTIMES = ["ort-wasm-simd-threaded.wasm", "ort-wasm-simd-threaded.asyncify.wasm"];
/** Files that are served as they are. */
const COPIED = ["app/index.html", "app/icon.svg"];
/** Style sheets, in their order. */
const STYLES = ["app/style"];
/** Where everything that is bundled stands. */
const SOURCES = ["routes", "core", "deno.json", "deno.lock"];

/** The files below a path, in order. */
async function filesOf(path: URL): Promise<URL[]> {
  if ((await Deno.stat(path)).isFile) return [path];
  const folder = new URL(`${path}/`);
  const found: URL[] = [];
  for await (const { name } of Deno.readDir(folder)) {
    if (!/^built(?:\.|$)/.test(name)) found.push(...await filesOf(new URL(name, folder)));
  }
  return found.sort((a, b) => a.href < b.href ? -1 : 1);
}

/** What the built files were made of. */
async function stampOf(): Promise<string> {
  const lines: string[] = [Deno.version.deno];
  for (const source of SOURCES) {
    for (const file of await filesOf(new URL(source, ROOT))) {
      const { mtime, size } = await Deno.stat(file);
      lines.push(`${file.href} ${mtime?.getTime()} ${size}`);
    }
  }
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(lines.join("\n")));
  return new Uint8Array(digest).toHex();
}

/**
 * The packages by name. In a browser ONNX Runtime's main module brings all its engines; the one for a processor is
 * what the service runs, and has the same code.
 */
async function writeImports(path: URL): Promise<void> {
  const { imports } = JSON.parse(await Deno.readTextFile(new URL("deno.json", ROOT)));
  const runtime = `${imports["onnxruntime-web"]}/`;
  const bundled = {
    ...imports,
    "onnxruntime-web": `${runtime}wasm`,
    "onnxruntime-web/webgpu": `${runtime}webgpu`,
  };
  await Deno.writeTextFile(path, JSON.stringify({ imports: bundled }));
}

/** Bundles the scripts into a folder. */
async function bundle(folder: URL): Promise<void> {
  const imports = new URL("imports.json", folder);
  await writeImports(imports);
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["bundle", "--quiet", "--platform=browser", "--minify", "--code-splitting"],
      ...["--outdir", folder.pathname, "--import-map", imports.pathname],
      ...ENTRIES.map((entry) => new URL(entry, HERE).pathname),
    ],
    cwd: ROOT,
    stdout: "null",
  }).output();
  await Deno.remove(imports);
  if (code !== 0) throw new Error(new TextDecoder().decode(stderr));
}

/** Makes all files of the page in a folder. */
async function fill(folder: URL): Promise<void> {
  await bundle(folder);
  for (const file of COPIED) {
    await Deno.copyFile(new URL(file, HERE), new URL(file.replace(/^.*\//, ""), folder));
  }
  for (const file of RUNTIMES) {
    await Deno.copyFile(
      new URL(file, import.meta.resolve("onnxruntime-web")),
      new URL(file, folder),
    );
  }
  let style = "";
  for (const styles of STYLES) {
    for (const file of await filesOf(new URL(styles, HERE))) style += await Deno.readTextFile(file);
  }
  await Deno.writeTextFile(new URL("style.css", folder), style);
}

const isBuilt = async (stamp: string) =>
  stamp === await Deno.readTextFile(new URL("stamp", BUILT)).catch(() => "");

/** Builds the page if what it is made of has changed. It is made aside, so that what stood before stays until then. */
async function build(): Promise<void> {
  const stamp = await stampOf();
  if (await isBuilt(stamp)) return;
  const folder = new URL(`built.${Deno.pid}/`, HERE);
  await Deno.mkdir(folder);
  try {
    await fill(folder);
    await Deno.writeTextFile(new URL("stamp", folder), stamp);
    await Deno.remove(BUILT, { recursive: true }).catch(() => {});
    await Deno.rename(folder, BUILT);
  } catch (error) {
    await Deno.remove(folder, { recursive: true });
    // Another process may have been as fast.
    if (!await isBuilt(stamp)) throw error;
  }
}

if (import.meta.main) {
  try {
    await build();
  } catch (error) {
    console.error(`Cannot build the page: current error is ${error}`);
    Deno.exit(1);
  }
}
