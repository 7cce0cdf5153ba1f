import { assert } from "@std/assert";

const BUILT = new URL("../../routes/page/built/", import.meta.url);
const LIMIT = 150_000;

/** What a script imports before it runs. */
function importsOf(text: string): string[] {
  const statements = text.matchAll(
    /(?:^|[;}\s])(?:import|export)(?:[^;"'()]*?from)?\s*["']\.\/([^"']+)["']/g,
  );
  return [...statements].map(([, name]) => name!);
}

async function gzipped(text: string): Promise<number> {
  const packed = new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"));
  return (await new Response(packed).arrayBuffer()).byteLength;
}

Deno.test("the page's first load is at most 150 KB of compressed script", async () => {
  const sizes = new Map<string, number>();
  const load = async (name: string) => {
    if (sizes.has(name)) return;
    const text = await Deno.readTextFile(new URL(name, BUILT));
    sizes.set(name, await gzipped(text));
    await Promise.all(importsOf(text).map(load));
  };
  await load("main.js");
  const total = [...sizes.values()].reduce((sum, size) => sum + size, 0);
  assert(total <= LIMIT, `${total} bytes: ${JSON.stringify([...sizes])}`);
  // The list is of something: the entry is there, and shares chunks with what is loaded later.
  assert(sizes.size > 1 && total > 10_000, JSON.stringify([...sizes]));
});
