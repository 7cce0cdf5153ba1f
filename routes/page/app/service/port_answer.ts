/**
 * The answer that a worker tells on a port, as a `Response` whose body asks for each piece.
 *
 * @module
 */
import type { HereCall, HereReply } from "../../here/protocol.ts";
import { type ProblemDocument, ProblemError } from "./problem.ts";
import type { ServiceRequest } from "./service.ts";

/** An answer on its way. */
export interface PortAnswer {
  readonly answer: Promise<Response>;
  /** Ends it with an error, from wherever it comes. */
  fail(error: Error): void;
  /** Resolves when nothing more comes. */
  readonly ended: Promise<void>;
}

/** Listens on a port until the answer is through, fails, or its reader or the request's signal gives it up. */
export function portAnswer(
  port: MessagePort,
  { signal, onSent }: Pick<ServiceRequest, "signal" | "onSent">,
): PortAnswer {
  const answer = Promise.withResolvers<Response>();
  const ended = Promise.withResolvers<void>();
  let body: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>> | undefined;
  let asked: PromiseWithResolvers<void> | undefined;
  const call = (message: HereCall) => port.postMessage(message);

  const finish = () => {
    signal?.removeEventListener("abort", abort);
    asked?.resolve();
    port.close();
    ended.resolve();
  };
  const fail = (error: Error) => {
    answer.reject(error);
    body?.error(error);
    finish();
  };
  const abort = () => {
    call({ call: "abort" });
    fail(signal!.reason);
  };
  const stream = () =>
    new ReadableStream<Uint8Array<ArrayBuffer>>({
      start(controller) {
        body = controller;
      },
      pull() {
        asked = Promise.withResolvers();
        call({ call: "pull" });
        return asked.promise;
      },
      cancel() {
        call({ call: "abort" });
        finish();
      },
    }, { highWaterMark: 0 });

  port.onmessage = ({ data }: MessageEvent<HereReply>) => {
    switch (data.reply) {
      case "sent":
        return onSent?.(data.bytes, data.total);
      case "head": {
        const { status, headers, hasBody } = data;
        const init = {
          status,
          headers: headers.map(([name, value]): [string, string] => [name, value]),
        };
        answer.resolve(new Response(hasBody ? stream() : null, init));
        if (!hasBody) finish();
        return;
      }
      case "piece":
        body?.enqueue(data.bytes);
        return asked?.resolve();
      case "end":
        body?.close();
        return finish();
      case "fault":
        return fail(new ProblemError(data.problem as ProblemDocument));
    }
  };
  signal?.addEventListener("abort", abort);
  return { answer: answer.promise, fail, ended: ended.promise };
}
