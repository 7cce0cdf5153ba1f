/**
 * The service over the network, on the page's own origin.
 *
 * @module
 */
import { problemOf, unreachable } from "./problem.ts";
import type { Send, ServiceRequest } from "./service.ts";
import { upload } from "./upload.ts";

/** The document first, then a file for each source; as JSON alone where there is no file. */
export function requestBody(
  request: ServiceRequest,
): { body?: Blob | FormData | string; type?: string } {
  if (request.bytes) return { body: request.bytes, type: "application/octet-stream" };
  if (!request.document) return {};
  const { part, value } = request.document;
  const text = JSON.stringify(value);
  if (!request.files || request.files.size === 0) return { body: text, type: "application/json" };
  const form = new FormData();
  form.append(part, new Blob([text], { type: "application/json" }), "document.json");
  for (const [name, file] of request.files) form.append(name, file, name);
  return { body: form };
}

/**
 * Sends requests to this origin.
 *
 * @param key Answers the bearer key, if the visitor gave one.
 */
export function overNetwork(key: () => string | undefined): Send {
  return async (request) => {
    const { body, type } = requestBody(request);
    const { method, path, signal, onSent } = request;
    const bearer = key();
    const headers = {
      ...request.headers,
      ...(type === undefined ? {} : { "content-type": type }),
      ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }),
    };
    let answer: Response;
    try {
      answer = onSent && body !== undefined
        ? await upload({ method, path, headers, body, signal, onSent })
        : await fetch(path, {
          method,
          headers,
          ...(body === undefined ? {} : { body }),
          ...(signal ? { signal } : {}),
          credentials: "omit",
          redirect: "error",
        });
    } catch (error) {
      if (signal?.aborted) throw error;
      throw unreachable(error);
    }
    if (!answer.ok) throw await problemOf(answer);
    return answer;
  };
}
