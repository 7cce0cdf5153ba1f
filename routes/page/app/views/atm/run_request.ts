/**
 * Sends a draft to `POST /atm`: to be watched, or as a job.
 *
 * @module
 */
import { jsonLines } from "../../service/event_lines.ts";
import type { Send, ServiceRequest } from "../../service/service.ts";
import { filesOf, type NamedSource, specsOf } from "../../sources/named_source.ts";
import { namesIn } from "../../sources/names_in.ts";
import { type Draft, valueAt } from "./draft.ts";

/** The request of a draft with the sources that it names; its own entries come before those of the session. */
export function atmRequest(draft: Draft, sources: readonly NamedSource[]): ServiceRequest {
  const names = namesIn(draft);
  const used = sources.filter(({ name }) => names.has(name));
  const own = valueAt(draft, "sources");
  const value = {
    ...draft,
    sources: { ...specsOf(used), ...(typeof own === "object" ? own : {}) },
  };
  return {
    method: "POST",
    path: "/atm",
    document: { part: "request", value },
    files: filesOf(used),
  };
}

/** Starts the rounds and answers what they tell. */
export async function* runEvents(
  send: Send,
  request: ServiceRequest,
  signal: AbortSignal,
): AsyncGenerator<unknown> {
  const answer = await send({
    ...request,
    headers: { accept: "application/x-ndjson" },
    signal,
  });
  yield* jsonLines(answer);
}

/** Starts the rounds as a job, which goes on without this page; answers its id. */
export async function startJob(send: Send, request: ServiceRequest): Promise<string> {
  const answer = await send({ ...request, headers: { prefer: "respond-async" } });
  const { id } = await answer.json() as { readonly id: string };
  return id;
}
