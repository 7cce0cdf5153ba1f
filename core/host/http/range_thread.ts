/**
 * Makes requests for byte ranges on a thread of their own: to receive and decrypt bytes does not hold up the thread
 * that answers, and goes on beside it.
 *
 * @module
 */
import { isShared } from "../../checkpoint/segment_memory.ts";
import { createLender, type Lender } from "../../engine/lent_memory.ts";
import { owedAnswers } from "../../engine/owed_answers.ts";
import type { RangeCall, RangeReply, RangeStart } from "./range_messages.ts";
import type { RangeAnswer, RangeRequest, RangeRequests } from "./range_requests.ts";

/** What the thread is told, and what starts it. */
export interface RangeThreadOptions {
  /** Bytes of an answer's head at most. */
  readonly headerBytes?: number;
  readonly startWorker?: () => Worker;
}

/** The host's own constructor: ONNX Runtime puts Node's in its place. */
const HostWorker = globalThis.Worker;

/** Bytes that are sent at once to a reader whose memory other threads do not see. */
const PIECE = 262_144;

const startThread = () =>
  new HostWorker(new URL("./range_worker.ts", import.meta.url), { type: "module" });

/** A thread that starts with the first request. */
export function createRangeThread(options: RangeThreadOptions = {}): RangeRequests {
  const { headerBytes = 0, startWorker = startThread } = options;
  let thread: Thread | undefined;
  return {
    ask(request) {
      if (!thread || thread.gone()) thread = startOn(startWorker(), { headerBytes });
      return ask(thread, request);
    },
    close() {
      thread?.stop(new TypeError("The requests were ended"));
      thread = undefined;
    },
  };
}

/** The thread and the calls that it owes an answer. */
interface Thread {
  readonly lender: Lender;
  /** A number for a request. */
  next(): number;
  call(call: RangeCall): Promise<RangeReply>;
  /** Gives a request up: whoever waits for it is told why. */
  end(id: number, reason: unknown): void;
  stop(reason: Error): void;
  gone(): boolean;
}

function startOn(worker: Worker, start: RangeStart): Thread {
  const owed = owedAnswers<RangeReply>(worker);
  let count = 0;
  worker.onmessage = ({ data }: MessageEvent<RangeReply>) => {
    const call = owed.take(data.id);
    if ("error" in data) call?.reject(new TypeError(data.error));
    else call?.resolve(data);
  };
  worker.onerror = (event) => {
    event.preventDefault();
    owed.end(new TypeError(`The thread of requests failed: ${event.message}`));
  };
  worker.postMessage(start);
  return {
    lender: createLender(),
    next: () => count++,
    gone: () => owed.gone() !== undefined,
    call(call) {
      const reply = owed.add(call.id);
      if (!owed.gone()) worker.postMessage(call);
      return reply;
    },
    end(id, reason) {
      owed.take(id)?.reject(reason);
      if (!owed.gone()) worker.postMessage({ id, end: true } satisfies RangeCall);
    },
    stop: owed.end,
  };
}

function readCall(lender: Lender, id: number, target: Uint8Array): RangeCall {
  if (!isShared(target)) return { id, read: Math.min(target.length, PIECE) };
  const read = lender.name(target);
  const loans = lender.take();
  return { id, read, ...(loans ? { loans } : {}) };
}

async function ask(thread: Thread, request: RangeRequest): Promise<RangeAnswer> {
  const { url, headers, addresses, signal } = request;
  signal?.throwIfAborted();
  const id = thread.next();
  let over = false;
  const abort = () => end(signal!.reason);
  const settle = () => {
    over = true;
    signal?.removeEventListener("abort", abort);
  };
  const end = (reason: unknown) => {
    if (over) return;
    settle();
    thread.end(id, reason);
  };
  /** What fails is forgotten on the other side as well. */
  const call = async (message: RangeCall): Promise<RangeReply> => {
    try {
      const reply = await thread.call(message);
      if ("ended" in reply && reply.ended) settle();
      return reply;
    } catch (error) {
      settle();
      throw error;
    }
  };
  signal?.addEventListener("abort", abort, { once: true });
  const reply = await call({ id, url, headers: [...headers], addresses });
  if (!("status" in reply)) throw new TypeError("The thread of requests answered another call");
  return {
    status: reply.status,
    headers: new Headers(reply.headers),
    ended: () => over,
    async readInto(target) {
      if (over) {
        signal?.throwIfAborted();
        return null;
      }
      const reply = await call(readCall(thread.lender, id, target));
      if (!("count" in reply)) throw new TypeError("The thread of requests answered another call");
      if (reply.bytes) target.set(reply.bytes);
      return reply.count;
    },
    end: () => end(new TypeError("The answer was given up")),
  };
}
