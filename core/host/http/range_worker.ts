/**
 * The entry of the thread that makes requests for byte ranges: what is received is decrypted here, and copied to where
 * all threads see it.
 *
 * @module
 */
import { createBorrower, type LentBytes } from "../../engine/lent_memory.ts";
import { connect } from "./connect.ts";
import type { RangeCall, RangeReply, RangeStart } from "./range_messages.ts";
import { createRangeRequests, type RangeAnswer, type RangeRequests } from "./range_requests.ts";

/** The part of a worker's global scope that is used here; the DOM library describes a window instead. */
interface WorkerScope {
  onmessage: ((event: MessageEvent<RangeStart | RangeCall>) => void) | null;
  postMessage(message: RangeReply, transfer: Transferable[]): void;
}

/** A request under way. */
interface Open {
  readonly stop: AbortController;
  answer?: RangeAnswer;
  /** What went wrong after bytes that had to be told first. */
  error?: unknown;
}

/** Milliseconds after which what has come is told, though there is room for more: readers watch the progress. */
const REPORT_MS = 50;

const scope = globalThis as unknown as WorkerScope;
const open = new Map<number, Open>();
const borrower = createBorrower();
let requests: RangeRequests | undefined;

async function ask(call: Extract<RangeCall, { url: string }>): Promise<RangeReply> {
  const { id, url, addresses } = call;
  const stop = new AbortController();
  const request: Open = { stop };
  open.set(id, request);
  const answer = await requests!.ask({
    url,
    headers: new Headers(call.headers),
    ...(addresses ? { addresses } : {}),
    signal: stop.signal,
  });
  request.answer = answer;
  const { status, headers } = answer;
  return { id, status, headers: [...headers], ended: settle(id, answer) };
}

async function read(id: number, into: LentBytes | number): Promise<RangeReply> {
  const request = open.get(id);
  if (!request?.answer) throw new TypeError("Cannot read an answer that is not there");
  const { answer } = request;
  if (request.error !== undefined) throw request.error;
  const target = typeof into === "number" ? new Uint8Array(into) : borrower.bytes(into);
  const count = await fill(request, answer, target);
  const ended = settle(id, answer);
  if (typeof into !== "number" || count === null) return { id, count, ended };
  return { id, count, bytes: new Uint8Array(target.slice(0, count)), ended };
}

/** Reads until there is no more room, or for as long as readers wait gladly. */
async function fill(
  request: Open,
  answer: RangeAnswer,
  target: Uint8Array,
): Promise<number | null> {
  const began = performance.now();
  let at = 0;
  try {
    while (at < target.length && performance.now() - began < REPORT_MS) {
      const count = await answer.readInto(at === 0 ? target : target.subarray(at));
      if (count === null) return at === 0 ? null : at;
      at += count;
    }
  } catch (error) {
    if (at === 0) throw error;
    request.error = error;
  }
  return at;
}

/** Whether nothing more comes; the request is forgotten then. */
function settle(id: number, answer: RangeAnswer): boolean {
  const ended = answer.ended();
  if (ended) open.delete(id);
  return ended;
}

function end(id: number): void {
  const request = open.get(id);
  open.delete(id);
  request?.answer?.end();
  request?.stop.abort();
}

scope.onmessage = async ({ data }) => {
  if ("headerBytes" in data) {
    requests = createRangeRequests({ connect, headerBytes: data.headerBytes });
    return;
  }
  const { id } = data;
  if ("read" in data) borrower.take(data.loans);
  if ("end" in data) return end(id);
  try {
    const reply = await ("url" in data ? ask(data) : read(id, data.read));
    scope.postMessage(reply, "bytes" in reply && reply.bytes ? [reply.bytes.buffer] : []);
  } catch (error) {
    end(id);
    scope.postMessage({ id, error: error instanceof Error ? error.message : String(error) }, []);
  }
};
