/**
 * Multipart bodies and requests, for tests.
 *
 * @module
 */
import { readMultipart } from "../../routes/http/multipart.ts";
import type { MultipartLimits } from "../../routes/http/multipart.ts";

const encoder = new TextEncoder();

/** One part to be sent. */
export interface SentPart {
  /** Header lines, joined by CRLF. */
  readonly header: string;
  readonly content: string;
}

/** The header of a file part. */
export function fileHeader(name: string): string {
  return `Content-Disposition: form-data; name="${name}"; filename="${name}.bin"`;
}

/** The header of a field. */
export function fieldHeader(name: string): string {
  return `Content-Disposition: form-data; name="${name}"`;
}

/** A whole body, closed. */
export function multipartBody(boundary: string, parts: readonly SentPart[]): Uint8Array {
  const text = parts.map(({ header, content }) =>
    `--${boundary}\r\n${header}\r\n\r\n${content}\r\n`
  );
  return encoder.encode(`${text.join("")}--${boundary}--\r\n`);
}

/** Cuts bytes at the given places. */
export function cutAt(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const cuts = [0, ...places.toSorted((a, b) => a - b), bytes.length];
  return cuts.slice(1).map((end, i) => bytes.slice(cuts[i], end)).filter(({ length }) =>
    length > 0
  );
}

/** A request with these chunks as its body; nothing is produced before it is asked for. */
export function multipartRequest(
  boundary: string,
  chunks: Iterable<Uint8Array> | ReadableStream<Uint8Array>,
): Request {
  const headers = { "content-type": `multipart/form-data; boundary=${boundary}` };
  const body = chunks instanceof ReadableStream ? chunks : ReadableStream.from(chunks);
  return new Request("http://localhost/merge", { method: "POST", body, headers });
}

/** A part that came. */
export interface TakenPart {
  readonly name: string;
  readonly text: string;
  readonly kind: "field" | "file";
}

/** Reads all parts into memory. */
export async function takeParts(
  request: Request,
  limits: Partial<MultipartLimits> = {},
): Promise<TakenPart[]> {
  const parts: TakenPart[] = [];
  await readMultipart(request, {
    limits: { maximumBytes: 1 << 20, ...limits },
    onField: (name, text) => void parts.push({ name, text, kind: "field" }),
    async onFile({ name }, chunks) {
      const decoder = new TextDecoder();
      let text = "";
      for await (const chunk of chunks) text += decoder.decode(chunk, { stream: true });
      parts.push({ name, text: text + decoder.decode(), kind: "file" });
    },
  });
  return parts;
}
