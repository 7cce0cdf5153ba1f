/**
 * A request whose bytes are counted as they leave.
 *
 * `fetch` does not tell how much of a body was sent, `XMLHttpRequest` does; it holds the whole answer, so that this is
 * for calls with short answers.
 *
 * @module
 */

/** What is sent. */
export interface Upload {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: XMLHttpRequestBodyInit;
  readonly signal?: AbortSignal | undefined;
  readonly onSent: (bytes: number, total: number) => void;
}

/** Sends and answers; rejects as `fetch` does. */
export function upload({ method, path, headers, body, signal, onSent }: Upload): Promise<Response> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const abort = () => request.abort();
    const fail = (reason: unknown) => {
      signal?.removeEventListener("abort", abort);
      reject(reason);
    };
    request.open(method, path);
    request.responseType = "blob";
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.onprogress = ({ loaded, total }) => onSent(loaded, total);
    request.onload = () => {
      signal?.removeEventListener("abort", abort);
      const answered = request.response as Blob;
      const body = [204, 205, 304].includes(request.status) ? null : answered;
      resolve(new Response(body, { status: request.status, headers: headersOf(request) }));
    };
    request.onerror = () => fail(new TypeError("The connection ended before the answer"));
    request.onabort = () => fail(signal?.reason ?? new DOMException("Aborted", "AbortError"));
    if (signal?.aborted) return fail(signal.reason);
    signal?.addEventListener("abort", abort);
    request.send(body);
  });
}

function headersOf(request: XMLHttpRequest): Headers {
  const headers = new Headers();
  for (const line of request.getAllResponseHeaders().trim().split(/[\r\n]+/)) {
    const colon = line.indexOf(":");
    if (colon > 0) headers.append(line.slice(0, colon), line.slice(colon + 1).trim());
  }
  return headers;
}
