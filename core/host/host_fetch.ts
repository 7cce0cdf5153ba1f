/**
 * The host's fetch, which also sends streams of a known length as such: the platform's own sends every stream in
 * chunks, which object stores refuse.
 *
 * @module
 */
import { untraced } from "../telemetry/untraced.ts";

/**
 * As `fetch`; a stream with a `content-length` header has that length. Redirects of such requests are not followed.
 * No request is traced: callers name the hosts.
 */
export function hostFetch(url: string, init: RequestInit): Promise<Response> {
  const headers = new Headers(init.headers);
  const { body } = init;
  return untraced(async () => {
    if (!(body instanceof ReadableStream && headers.has("content-length"))) {
      return await fetch(url, init);
    }
    const { sendStream } = await import("./send_stream.ts");
    return await sendStream(new URL(url), init, headers, body);
  });
}
