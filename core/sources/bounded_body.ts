/**
 * Bounds an answer that is read whole.
 *
 * @module
 */
import { LIMITS } from "../limits.ts";
import { Problem } from "../problem.ts";

/**
 * The same answer, whose body fails once it is too long.
 *
 * @param host For the message.
 * @throws {Problem} `upstream` at once if the announced length is too large, else from the body.
 */
export function boundedBody(response: Response, maximum: number, host: string): Response {
  const announced = Number(response.headers.get("content-length") ?? 0);
  const { body } = response;
  if (body === null) return response;
  if (announced > maximum) {
    body.cancel().catch(() => {});
    throw tooLong(host, maximum);
  }
  const reader = body.getReader();
  let bytes = 0;
  const bounded = new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller) {
      const { done, value } = await reader.read();
      if (done) return controller.close();
      bytes += value.length;
      if (bytes <= maximum) return controller.enqueue(value);
      const problem = tooLong(host, maximum);
      controller.error(problem);
      await reader.cancel(problem).catch(() => {});
    },
    cancel: (reason) => reader.cancel(reason),
  }, { highWaterMark: 0 });
  const { status, statusText, headers } = response;
  return new Response(bounded, { status, statusText, headers });
}

function tooLong(host: string, limit: number): Problem {
  const { variable } = LIMITS.upload;
  return new Problem(
    "upstream",
    `The server at ${host} sent a longer answer than ${limit} bytes (${variable})`,
    { host, limit, variable },
  );
}
