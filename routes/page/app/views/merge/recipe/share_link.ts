/**
 * A recipe in the fragment of an address, which no browser sends anywhere: what recipes say, never what files hold.
 *
 * @module
 */

/** A longer text is compressed. */
const LONG = 400;
/** A recipe that is longer is no recipe, but an attempt to fill the memory. */
const LIMIT = 1_000_000;

/** Whether something was left out of what a link holds. */
export interface Shared {
  readonly recipe: Readonly<Record<string, unknown>>;
  /** What was left out, in words. */
  readonly withheld: readonly string[];
}

/** A recipe without what only its owner should have: header fields, and addresses that results are put to. */
export function shareable(recipe: Readonly<Record<string, unknown>>): Shared {
  const withheld: string[] = [];
  const shared: Record<string, unknown> = { ...recipe };
  const sources = mapOf(recipe.sources);
  if (sources) {
    const kept = Object.entries(sources).flatMap(([name, value]): [string, unknown][] => {
      const { headers, upload, ...entry } = mapOf(value) ?? {};
      if (headers !== undefined) withheld.push(`the header fields of ${name}`);
      return upload === true && Object.keys(entry).length === 0 ? [] : [[name, entry]];
    });
    if (kept.length > 0) shared.sources = Object.fromEntries(kept);
    else delete shared.sources;
  }
  const { put, ...output } = mapOf(recipe.output) ?? {};
  if (put !== undefined) {
    withheld.push("where the result is put");
    if (Object.keys(output).length > 0) shared.output = output;
    else delete shared.output;
  }
  return { recipe: shared, withheld };
}

/** The part of an address that holds a recipe: `r=` plain, `z=` compressed. */
export async function shareText(recipe: Readonly<Record<string, unknown>>): Promise<string> {
  const bytes = new TextEncoder().encode(JSON.stringify(recipe));
  if (bytes.length <= LONG) return `r=${base64(bytes)}`;
  const packed = new Blob([bytes]).stream().pipeThrough(new CompressionStream("deflate-raw"));
  return `z=${base64(new Uint8Array(await new Response(packed).arrayBuffer()))}`;
}

/**
 * The recipe of such a part; undefined if it holds none. Whoever made the link may have put anything into it: nothing is
 * sent with header fields of theirs, and no result to an address of theirs.
 */
export async function readShareText(text: string): Promise<unknown> {
  const [, form, data] = /(?:^|[?&])([rz])=([\w-]+)/.exec(text) ?? [];
  if (data === undefined) return undefined;
  try {
    const bytes = bytesOf(data);
    const json = form === "z" ? await unpacked(bytes) : bytes;
    const recipe = mapOf(JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(json)));
    return recipe && shareable(recipe).recipe;
  } catch {
    return undefined;
  }
}

async function unpacked(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  for (const reader = stream.getReader();;) {
    const { done, value } = await reader.read();
    if (done) break;
    length += value.length;
    if (length > LIMIT) {
      await reader.cancel();
      throw new RangeError(`Cannot read the recipe as it is longer than ${LIMIT} bytes`);
    }
    chunks.push(value);
  }
  return new Uint8Array(await new Blob(chunks).arrayBuffer());
}

function base64(bytes: Uint8Array): string {
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}

function mapOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? value as Record<string, unknown>
    : undefined;
}
