/**
 * Compiles the AssemblyScript kernels into `kernels_wasm.ts` (`deno task kernels`).
 *
 * The compiled bytes are committed, so that neither the service nor its tests need the compiler.
 *
 * @module
 */
import asc from "npm:assemblyscript@0.28.20/asc";

const here = new URL("../tensor/kernels/", import.meta.url);
const sources = new Map<string, string>();
for await (const { name } of Deno.readDir(new URL("assembly/", here))) {
  sources.set(name, await Deno.readTextFile(new URL(`assembly/${name}`, here)));
}
let binary: Uint8Array | undefined;
const { error, stderr } = await asc.main(
  [
    "kernels.ts",
    "-o",
    "kernels.wasm",
    "-O3",
    "--runtime",
    "stub",
    "--enable",
    "simd,bulk-memory",
    "--importMemory",
    "--noAssert",
    "--initialMemory",
    "0",
  ],
  {
    readFile: (name: string) => sources.get(name) ?? null,
    writeFile: (name: string, contents: Uint8Array | string) => {
      if (name.endsWith(".wasm")) binary = contents as Uint8Array;
    },
    listFiles: () => [],
  },
);
if (error || !binary) throw new Error(`The kernels do not compile: ${error ?? ""} ${stderr}`);
const text = btoa(String.fromCharCode(...binary));
const lines = text.match(/.{1,96}/g) ?? [];
await Deno.writeTextFile(
  new URL("kernels_wasm.ts", here),
  `// Made by \`deno task kernels\` from assembly/; do not edit.\n\n` +
    `/** The compiled kernels, base64. */\nexport const KERNELS_WASM: string = [\n` +
    lines.map((line) => `  "${line}",\n`).join("") + `].join("");\n`,
);
console.log(`kernels_wasm.ts: ${binary.length} bytes of WebAssembly`);
