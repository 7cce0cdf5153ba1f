/**
 * A push parser for multipart bodies (RFC 2046): bytes in, events out, nothing copied but what may be
 * the beginning of a delimiter.
 *
 * The package `multipasta` misses the end of a body whose last two dashes come in different chunks, and
 * takes data that only begin like a delimiter for one; an upload that fails at random is no option here.
 *
 * @module
 */
import { Problem } from "../../core/problem.ts";
import { tooLarge } from "./body_chunks.ts";
import { type BoundarySearch, boundarySearch } from "./boundary_search.ts";
import { parsePartHeaders, type PartInfo } from "./part_headers.ts";

/** What the parser found in the bytes that it was given. */
export type PartEvent =
  | { readonly type: "begin"; readonly part: PartInfo }
  | { readonly type: "data"; readonly bytes: Uint8Array }
  | { readonly type: "end" };

/** Parses a body piece by piece. */
export interface MultipartParser {
  /** The events that these bytes complete; `data` refers to the given memory where it can. */
  push(bytes: Uint8Array): PartEvent[];
  /** Whether the closing delimiter was seen; what follows it is ignored. */
  done(): boolean;
}

const [TAB, LF, CR, SPACE, DASH] = [9, 10, 13, 32, 45];
const BREAK = new Uint8Array([CR, LF]);
/** White space that a delimiter line may have before its end; with more it is data. */
const MAXIMUM_PADDING = 64;

/**
 * Starts a parser.
 *
 * @param boundary At most 70 ASCII characters.
 * @param headerBytes Limit of one part's header lines.
 * @throws {Problem} From `push`: `invalid-request` if a part's header is malformed, `too-large` if it
 * exceeds its limit.
 */
export function multipartParser(boundary: string, headerBytes: number): MultipartParser {
  const search = boundarySearch(boundary);
  let state: "preamble" | "headers" | "data" | "closed" = "preamble";
  // Bytes that were given but not dealt with. The first delimiter needs no line break before it, and
  // that of an empty part none of its own: one is kept (or made up) that is no data.
  let rest: Uint8Array = BREAK;
  let skip = BREAK.length;

  /** Takes data up to the next delimiter; answers what follows, or undefined if all was used. */
  function takeData(bytes: Uint8Array, events: PartEvent[]): Uint8Array | undefined {
    const { at, behind, kind } = nextDelimiter(search, bytes);
    if (state === "data" && at > skip) {
      events.push({ type: "data", bytes: bytes.subarray(skip, at) });
    }
    if (at > 0) skip = 0;
    if (kind === "incomplete") {
      // A copy, so that a few bytes do not keep a whole chunk alive.
      rest = bytes.slice(at);
      return undefined;
    }
    if (state === "data") events.push({ type: "end" });
    state = kind === "last" ? "closed" : "headers";
    return kind === "last" ? undefined : bytes.subarray(behind - BREAK.length);
  }

  /** Takes a part's header lines, with the line break before them. */
  function takeHeaders(bytes: Uint8Array, events: PartEvent[]): Uint8Array | undefined {
    const end = emptyLine(bytes);
    if (end > headerBytes || (end < 0 && bytes.length > headerBytes + 4)) {
      throw tooLarge("the header of a part", "bytes", headerBytes, `more than ${headerBytes}`);
    }
    if (end < 0) {
      rest = bytes.slice();
      return undefined;
    }
    events.push({ type: "begin", part: parsePartHeaders(bytes.subarray(0, end)) });
    state = "data";
    skip = BREAK.length;
    return bytes.subarray(end + BREAK.length);
  }

  return {
    push(chunk) {
      const events: PartEvent[] = [];
      let bytes: Uint8Array | undefined = rest.length === 0 ? chunk : joined(rest, chunk);
      rest = new Uint8Array(0);
      while (bytes !== undefined && state !== "closed") {
        bytes = state === "headers" ? takeHeaders(bytes, events) : takeData(bytes, events);
      }
      return events;
    },
    done: () => state === "closed",
  };
}

interface Delimiter {
  /** Where it begins; everything before is data. */
  readonly at: number;
  /** Where the next part's header begins. */
  readonly behind: number;
  /** `incomplete`: none yet, but one may begin at `at`. */
  readonly kind: "next" | "last" | "incomplete";
}

function nextDelimiter(search: BoundarySearch, bytes: Uint8Array): Delimiter {
  for (let from = 0;;) {
    const at = search.find(bytes, from);
    if (at < 0) return { at: search.open(bytes, from), behind: 0, kind: "incomplete" };
    from = at + search.length;
    let behind = from;
    if (bytes[from] === DASH && bytes[from + 1] === DASH) return { at, behind, kind: "last" };
    while (bytes[behind] === SPACE || bytes[behind] === TAB) behind++;
    if (behind - from > MAXIMUM_PADDING) continue;
    if (bytes[behind] === CR && bytes[behind + 1] === LF) {
      return { at, behind: behind + BREAK.length, kind: "next" };
    }
    // Data may hold a text that only begins like a delimiter.
    const undecided = behind === bytes.length ||
      (behind === bytes.length - 1 &&
        (bytes[behind] === CR || (behind === from && bytes[behind] === DASH)));
    if (undecided) return { at, behind, kind: "incomplete" };
  }
}

/** Where a line break begins that is followed by another one, or -1. */
function emptyLine(bytes: Uint8Array): number {
  for (let at = bytes.indexOf(CR); at >= 0; at = bytes.indexOf(CR, at + 1)) {
    if (bytes[at + 1] === LF && bytes[at + 2] === CR && bytes[at + 3] === LF) return at;
  }
  return -1;
}

function joined(left: Uint8Array, right: Uint8Array): Uint8Array {
  const both = new Uint8Array(left.length + right.length);
  both.set(left);
  both.set(right, left.length);
  return both;
}

/**
 * The boundary of a multipart body.
 *
 * @throws {Problem} `invalid-request` if there is none or it is malformed.
 */
export function checkBoundary(boundary: string | undefined): string {
  if (boundary !== undefined && /^[\x20-\x7e]{0,69}[\x21-\x7e]$/.test(boundary)) return boundary;
  throw new Problem(
    "invalid-request",
    "Cannot read the multipart body as its boundary must have 1 to 70 ASCII characters: " +
      `current value is ${boundary ?? "none"}`,
  );
}
