/**
 * The head of an HTTP/1.1 answer (RFC 9112).
 *
 * @module
 */

/** Status, fields and how long the body is. */
export interface Head {
  readonly status: number;
  readonly headers: Headers;
  /** Bytes of the body, `chunked`, or `close`: until the connection ends. */
  readonly length: number | "chunked" | "close";
  /** Whether another request may follow on the connection. */
  readonly persistent: boolean;
}

/** Fields of a head at most. */
const FIELDS = 256;
const NO_BODY = [204, 304];

/**
 * Reads a head, without the empty line at its end.
 *
 * @throws {TypeError} If it is malformed; the text of the answer is not shown.
 */
export function parseHead(text: string): Head {
  const [first = "", ...lines] = text.split("\r\n");
  const [, minor, digits] =
    /^HTTP\/1\.([01]) ([1-9]\d\d)(?: [\t\x20-\x7e\x80-\xff]*)?$/.exec(first) ??
      [];
  if (digits === undefined) throw malformed("the status line");
  if (lines.length > FIELDS) throw malformed("the number of its fields, which is too large,");
  const headers = new Headers();
  for (const line of lines) {
    const [, name, value] =
      /^([!#$%&'*+\-.^_`|~\w]+):[\t ]*([\t\x20-\x7e\x80-\xff]*)$/.exec(line) ?? [];
    if (name === undefined) throw malformed("a field");
    headers.append(name, value!.trimEnd());
  }
  const status = Number(digits);
  const connection = headers.get("connection")?.toLowerCase() ?? "";
  const length = lengthOf(status, headers);
  const persistent = length !== "close" && !/\bclose\b/.test(connection) &&
    (minor === "1" || /\bkeep-alive\b/.test(connection));
  return { status, headers, length, persistent };
}

function lengthOf(status: number, headers: Headers): Head["length"] {
  if (NO_BODY.includes(status)) return 0;
  const coding = headers.get("transfer-encoding");
  const length = headers.get("content-length");
  if (coding !== null) {
    // With both, two readers could see two different answers.
    if (coding.toLowerCase() !== "chunked" || length !== null) throw malformed("the length");
    return "chunked";
  }
  if (length === null) return "close";
  const values = new Set(length.split(",").map((value) => value.trim()));
  const [value] = values;
  if (values.size !== 1 || !/^\d{1,15}$/.test(value!)) throw malformed("the length");
  return Number(value);
}

/** What is thrown for an answer that is none. */
export function malformed(what: string): TypeError {
  return new TypeError(`Cannot read the answer as ${what} is malformed`);
}
