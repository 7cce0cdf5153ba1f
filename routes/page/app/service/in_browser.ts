/**
 * The service in this browser: its own application in a worker, which is started on the first request.
 *
 * @module
 */
import type { EngineName } from "../../../../core/engine/engine_name.ts";
import type { HereRequest, HereStart, NamedFile } from "../../here/protocol.ts";
import { missingFeature } from "./features.ts";
import { portAnswer } from "./port_answer.ts";
import { ProblemError, problemOf } from "./problem.ts";
import type { Send, ServiceRequest } from "./service.ts";

/** The application in this browser. */
export interface BrowserService {
  readonly send: Send;
  /** Lets requests from now on run on another engine; those that run go on as they are. */
  setEngine(engine: EngineName): void;
}

/** Numbers files, so that the digest of the same one is taken once. */
const numbers = new WeakMap<Blob, number>();
let numbered = 0;

/** Sends requests to the application in this browser's worker. */
export function inBrowser(engine: EngineName = "auto"): BrowserService {
  let asked = engine;
  let current: HereWorker | undefined;
  return {
    async send(request) {
      request.signal?.throwIfAborted();
      const missing = missingFeature();
      if (missing !== undefined) throw cannot(`the browser offers no ${missing} on this page`);
      if (current?.broken()) current = undefined;
      const answer = await (current ??= startHere(asked)).ask(request);
      if (!answer.ok) throw await problemOf(answer);
      return answer;
    },
    setEngine(next) {
      if (next === asked) return;
      asked = next;
      current?.retire();
      current = undefined;
    },
  };
}

/** A worker and the requests that it still answers. */
interface HereWorker {
  ask(request: ServiceRequest): Promise<Response>;
  broken(): boolean;
  /** Ends it once its last answer is through. */
  retire(): void;
}

function startHere(engine: EngineName): HereWorker {
  const worker = new Worker(new URL("./here.js", import.meta.url), {
    type: "module",
    name: "here",
  });
  const open = new Set<(error: Error) => void>();
  let gone = false;
  let retired = false;
  worker.onerror = (event) => {
    event.preventDefault();
    gone = true;
    worker.terminate();
    const reason = event.message || "its script does not load";
    for (const fail of open) fail(cannot(`its worker failed: ${reason}`));
  };
  worker.postMessage({ engine } satisfies HereStart);
  const settle = () => {
    if (retired && open.size === 0) worker.terminate();
  };
  return {
    broken: () => gone,
    retire() {
      retired = true;
      settle();
    },
    ask(request) {
      const { port1, port2 } = new MessageChannel();
      worker.postMessage(messageOf(request, port2), [port2]);
      const { answer, fail, ended } = portAnswer(port1, request);
      open.add(fail);
      ended.finally(() => {
        open.delete(fail);
        settle();
      });
      return answer;
    },
  };
}

function messageOf(request: ServiceRequest, port: MessagePort): HereRequest {
  const { method, path, headers = {}, document, bytes } = request;
  return {
    method,
    path,
    headers: bytes ? { "content-type": "application/octet-stream", ...headers } : headers,
    ...(document
      ? { document: { part: document.part, text: JSON.stringify(document.value) } }
      : {}),
    files: [...request.files ?? []].map(([name, file]): NamedFile => ({
      name,
      file,
      number: numberOf(file),
    })),
    ...(bytes ? { bytes } : {}),
    port,
  };
}

function numberOf(file: Blob): number {
  const number = numbers.get(file) ?? numbered++;
  numbers.set(file, number);
  return number;
}

function cannot(reason: string): ProblemError {
  return new ProblemError({
    type: "about:blank",
    title: "Nothing can run in this browser",
    status: 0,
    detail: `Cannot work in this browser as ${reason}`,
  });
}
