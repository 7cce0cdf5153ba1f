/**
 * Serves a byte source with ranges and preconditions (RFC 9110, sections 13 and 14).
 *
 * @module
 */
import type { Bytes, ByteSource } from "../../core/checkpoint/byte_source.ts";
import { Problem } from "../../core/problem.ts";
import { giveAway } from "../../core/stream/given_bytes.ts";

/** `[start, end)`. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** How the content is described. */
export interface ContentInfo {
  /** Strong entity tag, quotes included. */
  readonly etag: string;
  readonly contentType: string;
  /** Further headers. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** Ranges that one request may ask for. */
const MAXIMUM_RANGES = 16;
const PIECE = 1 << 20;
const encoder = new TextEncoder();

/**
 * The ranges of a `Range` header: undefined if it is to be ignored (another unit, malformed), an empty
 * list if none can be satisfied. Overlapping and adjacent ranges are joined.
 */
export function parseRanges(header: string, length: number): ByteRange[] | undefined {
  const list = /^bytes\s*=\s*(.+)$/i.exec(header)?.[1];
  if (list === undefined) return undefined;
  const ranges: ByteRange[] = [];
  const specs = list.split(",").map((spec) => spec.trim()).filter((spec) => spec !== "");
  if (specs.length === 0 || specs.length > MAXIMUM_RANGES) return undefined;
  for (const spec of specs) {
    const parts = /^(\d*)-(\d*)$/.exec(spec);
    if (!parts || (parts[1] === "" && parts[2] === "")) return undefined;
    const [first, last] = [parts[1]!, parts[2]!];
    if (first !== "" && last !== "" && Number(last) < Number(first)) return undefined;
    const start = first === "" ? Math.max(length - Number(last), 0) : Number(first);
    const end = first === "" || last === "" ? length : Math.min(Number(last) + 1, length);
    if (start < end) ranges.push({ start, end });
  }
  return joined(ranges);
}

function joined(ranges: readonly ByteRange[]): ByteRange[] {
  const result: ByteRange[] = [];
  for (const range of [...ranges].sort((a, b) => a.start - b.start)) {
    const last = result.at(-1);
    if (last && range.start <= last.end) {
      result[result.length - 1] = { start: last.start, end: Math.max(last.end, range.end) };
    } else result.push(range);
  }
  return result;
}

/**
 * The answer to GET or HEAD for a source; the source is closed when the body ends, however it ends.
 *
 * @throws {Problem} `precondition-failed`, `range-not-satisfiable`; the source is closed then.
 */
export function respondWithSource(
  request: Request,
  source: ByteSource,
  { etag, contentType, headers: extra = {} }: ContentInfo,
): Response {
  const length = source.byteLength;
  const headers = new Headers({ ...extra, etag, "accept-ranges": "bytes" });
  const given = (name: string) => request.headers.get(name);
  try {
    const match = given("if-match");
    if (match !== null && !listsTag(match, etag, false)) {
      throw new Problem(
        "precondition-failed",
        `Cannot answer as If-Match does not hold: current value is ${etag}`,
      );
    }
    const noneMatch = given("if-none-match");
    if (noneMatch !== null && listsTag(noneMatch, etag, true)) {
      source.close?.();
      return new Response(null, { status: 304, headers });
    }
    const range = request.method === "GET" ? given("range") : null;
    const fresh = given("if-range") === null || given("if-range") === etag;
    const ranges = range !== null && fresh ? parseRanges(range, length) : undefined;
    if (ranges?.length === 0) {
      throw new Problem(
        "range-not-satisfiable",
        `Cannot answer as no range lies inside the ${length} bytes: current value is ${range}`,
        { length },
      );
    }
    if (ranges && ranges.length > 1) return multipleRanges(source, ranges, contentType, headers);
    const { start, end } = ranges?.[0] ?? { start: 0, end: length };
    headers.set("content-type", contentType);
    headers.set("content-length", String(end - start));
    if (ranges) headers.set("content-range", `bytes ${start}-${end - 1}/${length}`);
    if (request.method === "HEAD") {
      source.close?.();
      return new Response(null, { headers });
    }
    return new Response(streamOf(source, pieces(source, start, end)), {
      status: ranges ? 206 : 200,
      headers,
    });
  } catch (error) {
    source.close?.();
    throw error;
  }
}

function listsTag(list: string, etag: string, weak: boolean): boolean {
  if (list.trim() === "*") return true;
  const tags = list.match(/(?:W\/)?"[^"]*"/g) ?? [];
  return tags.some((tag) => tag === etag || (weak && tag === `W/${etag}`));
}

function multipleRanges(
  source: ByteSource,
  ranges: readonly ByteRange[],
  contentType: string,
  headers: Headers,
): Response {
  const boundary = `amalgam-${crypto.randomUUID()}`;
  const heads = ranges.map(({ start, end }, i) =>
    encoder.encode(
      `${i > 0 ? "\r\n" : ""}--${boundary}\r\ncontent-type: ${contentType}\r\n` +
        `content-range: bytes ${start}-${end - 1}/${source.byteLength}\r\n\r\n`,
    )
  );
  const tail = encoder.encode(`\r\n--${boundary}--\r\n`);
  const bytes = ranges.reduce((sum, { start, end }, i) => sum + heads[i]!.length + end - start, 0);
  headers.set("content-type", `multipart/byteranges; boundary=${boundary}`);
  headers.set("content-length", String(bytes + tail.length));
  const parts = async function* () {
    for (const [i, { start, end }] of ranges.entries()) {
      yield heads[i]!;
      yield* pieces(source, start, end);
    }
    yield tail;
  };
  return new Response(streamOf(source, parts()), { status: 206, headers });
}

async function* pieces(source: ByteSource, start: number, end: number): AsyncGenerator<Bytes> {
  for (let at = start; at < end; at += PIECE) {
    yield giveAway(await source.slice(at, Math.min(at + PIECE, end)));
  }
}

function streamOf(source: ByteSource, chunks: AsyncGenerator<Bytes>): ReadableStream<Bytes> {
  return new ReadableStream<Bytes>({
    async pull(stream) {
      try {
        const { done, value } = await chunks.next();
        if (!done) return stream.enqueue(value);
        source.close?.();
        stream.close();
      } catch (error) {
        source.close?.();
        stream.error(error);
      }
    },
    async cancel() {
      await chunks.return(undefined);
      source.close?.();
    },
  }, { highWaterMark: 0 });
}
