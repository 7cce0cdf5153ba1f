/**
 * A push parser for multipart bodies (RFC 2046): bytes in, events out, nothing copied but what may be
 * the beginning of a boundary.
 *
 * `multipasta` parses the same at about a third of the speed; a 2 GB upload is this service's main job.
 *
 * @module
 */
import { Problem } from "../../core/problem.ts";

/** What a part's header lines say, names in lower case. */
export type PartHeaders = ReadonlyMap<string, string>;

/** What the parser found in the bytes that it was given. */
export type PartEvent =
  | { readonly type: "begin"; readonly headers: PartHeaders }
  | { readonly type: "data"; readonly bytes: Uint8Array }
  | { readonly type: "end" };

/** Parses a body piece by piece. */
export interface MultipartParser {
  /** The events that these bytes complete; `data` refers to the given memory where it can. */
  push(bytes: Uint8Array): PartEvent[];
  /** Whether the closing boundary was seen. */
  done(): boolean;
}

const CR = 13;
const CRLF = "\r\n";
const encoder = new TextEncoder();

/**
 * Starts a parser.
 *
 * @param headerBytes Limit of one part's header lines.
 * @throws {Problem} From `push`: `invalid-request` if the body is malformed, `too-large` if header lines
 * exceed their limit.
 */
export function multipartParser(boundary: string, headerBytes: number): MultipartParser {
  const delimiter = encoder.encode(`${CRLF}--${boundary}`);
  let state: "preamble" | "boundary" | "headers" | "data" | "epilogue" = "preamble";
  // A first boundary without a line break before it is found as if there were one.
  let rest: Uint8Array = encoder.encode(CRLF);
  /** The next bytes are the line break behind the header lines, then the part's data. */
  let atStart = false;

  const malformed = (reason: string) =>
    new Problem("invalid-request", `Cannot read the multipart body as ${reason}`);

  /** Takes one step on `bytes`; answers what is left, or undefined if more bytes are needed. */
  function step(bytes: Uint8Array, events: PartEvent[]): Uint8Array | undefined {
    switch (state) {
      case "preamble":
      case "data": {
        const inside = state === "data";
        if (atStart) {
          // The break behind the header is no data, though it may begin the next boundary.
          if (bytes.length < delimiter.length) {
            const open = bytes.every((byte, i) => byte === delimiter[i]);
            if (open) {
              rest = bytes.slice();
              return undefined;
            }
          }
          atStart = false;
          if (find(bytes.subarray(0, delimiter.length), delimiter) < 0) return bytes.subarray(2);
        }
        const at = find(bytes, delimiter);
        if (at < 0) {
          const safe = safeLength(bytes, delimiter);
          if (inside && safe > 0) events.push({ type: "data", bytes: bytes.subarray(0, safe) });
          rest = bytes.slice(safe);
          return undefined;
        }
        if (inside) {
          if (at > 0) events.push({ type: "data", bytes: bytes.subarray(0, at) });
          events.push({ type: "end" });
        }
        state = "boundary";
        return bytes.subarray(at + delimiter.length);
      }
      case "boundary": {
        const end = findBreak(bytes);
        const closes = bytes.length >= 2 && bytes[0] === 45 && bytes[1] === 45;
        if (closes) {
          state = "epilogue";
          return new Uint8Array(0);
        }
        if (end < 0) {
          if (bytes.length > 1024) throw malformed("a boundary line does not end");
          rest = bytes.slice();
          return undefined;
        }
        if (!/^[ \t]*$/.test(decode(bytes.subarray(0, end)))) {
          throw malformed(`there is text behind a boundary: current value is "${decode(bytes.subarray(0, Math.min(end, 40)))}"`);
        }
        state = "headers";
        // The break stays, so that a part without header lines has an empty line all the same.
        return bytes.subarray(end);
      }
      case "headers": {
        const end = find(bytes, encoder.encode(CRLF + CRLF));
        if (end > headerBytes || (end < 0 && bytes.length > headerBytes)) {
          throw new Problem(
            "too-large",
            `Cannot read a part as its header must be at most ${headerBytes} bytes: ` +
              `current value is more than ${headerBytes}`,
            { limit: headerBytes },
          );
        }
        if (end < 0) {
          rest = bytes.slice();
          return undefined;
        }
        events.push({ type: "begin", headers: parseHeaders(decode(bytes.subarray(0, end)), malformed) });
        state = "data";
        // The second break stays: the boundary of an empty part may follow at once, and needs it.
        atStart = true;
        return bytes.subarray(end + 2);
      }
      case "epilogue":
        return undefined;
    }
  }

  return {
    push(chunk) {
      const events: PartEvent[] = [];
      let bytes: Uint8Array | undefined = rest.length === 0 ? chunk : joined(rest, chunk);
      rest = new Uint8Array(0);
      while (bytes !== undefined && state !== "epilogue") bytes = step(bytes, events);
      return events;
    },
    done: () => state === "epilogue",
  };
}

/** Joins what was kept with new bytes; only the kept part's neighbourhood would need it, but it is small. */
function joined(left: Uint8Array, right: Uint8Array): Uint8Array {
  const both = new Uint8Array(left.length + right.length);
  both.set(left);
  both.set(right, left.length);
  return both;
}

/** Index of `pattern` (which begins with CR), or -1. */
function find(bytes: Uint8Array, pattern: Uint8Array): number {
  const last = bytes.length - pattern.length;
  for (let at = bytes.indexOf(CR); at >= 0 && at <= last; at = bytes.indexOf(CR, at + 1)) {
    let i = 1;
    while (i < pattern.length && bytes[at + i] === pattern[i]) i++;
    if (i === pattern.length) return at;
  }
  return -1;
}

/** How many bytes cannot be part of a pattern that goes on in the next chunk. */
function safeLength(bytes: Uint8Array, pattern: Uint8Array): number {
  const start = Math.max(bytes.length - pattern.length + 1, 0);
  for (let at = bytes.indexOf(CR, start); at >= 0; at = bytes.indexOf(CR, at + 1)) {
    let i = 1;
    while (at + i < bytes.length && bytes[at + i] === pattern[i]) i++;
    if (at + i === bytes.length) return at;
  }
  return bytes.length;
}

function findBreak(bytes: Uint8Array): number {
  for (let at = bytes.indexOf(CR); at >= 0; at = bytes.indexOf(CR, at + 1)) {
    if (bytes[at + 1] === 10) return at;
  }
  return -1;
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

function parseHeaders(text: string, malformed: (reason: string) => Problem): PartHeaders {
  const headers = new Map<string, string>();
  for (const line of text.split(CRLF)) {
    if (line === "") continue;
    const colon = line.indexOf(":");
    if (colon <= 0) throw malformed(`a header line has no colon: current value is "${line.slice(0, 60)}"`);
    headers.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
  }
  return headers;
}
