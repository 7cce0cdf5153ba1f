/**
 * Sends generated requests to every operation of `/openapi.json` and checks every answer against it.
 *
 * @module
 */
import fc from "fast-check";
import { STORED_EXAMPLES } from "../../../routes/table/examples.ts";
import {
  answerFaults,
  type DescribedOperation,
  operationSchemas,
  type TestDocument,
} from "../../support/openapi.ts";
import { testApp } from "../../support/service.ts";
import { type MadeRequest, type RequestMaking, requestsOf } from "./requests.ts";
import type { Schema } from "./schema_values.ts";

const FOLDER = new URL("../../../fixtures/digits/", import.meta.url);
const FILES = ["base", "left", "right", "upright", "val"].map((name) => `${name}.safetensors`);
/** Beyond these seconds a request is given up, and counted. */
const PATIENCE = 60;
/** A problem with one of these statuses blames something that was there to blame. */
const BLAMED = [502, 503, 504, 507];

/** How much is sent. */
export interface CampaignOptions {
  /** Requests per operation. */
  readonly runs: number;
  readonly seed: number;
  /** Only this operation. */
  readonly only?: string;
}

/** What was sent and found. */
export interface CampaignReport {
  readonly requests: number;
  /** Answers by operation and status. */
  readonly statuses: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly findings: readonly string[];
}

type App = ReturnType<typeof testApp>["app"];

/** Runs the campaign: the same requests for the same options. */
export async function conformanceCampaign(
  { runs, seed, only }: CampaignOptions,
): Promise<CampaignReport> {
  const { app, faults, close } = testApp();
  const findings: string[] = [];
  const statuses: Record<string, Record<string, number>> = {};
  let requests = 0;
  try {
    const document: TestDocument = await (await app.request("/openapi.json")).json();
    const { check } = operationSchemas(document);
    for (const [template, methods] of Object.entries(document.paths)) {
      for (const [method, operation] of Object.entries(methods)) {
        const { operationId } = operation;
        if (only !== undefined && operationId !== only) continue;
        // Anew, as an operation may have removed what the one before named.
        const making = await prepare(app, document);
        const counts: Record<string, number> = statuses[operationId] = {};
        const made = fc.sample(requestsOf(template, operation, making), {
          numRuns: operation.requestBody === undefined ? Math.ceil(runs / 2) : runs,
          seed,
        });
        for (const request of made) {
          requests++;
          const told = await send(app, method.toUpperCase(), request, making);
          const status = told === undefined ? "none" : String(told.status);
          counts[status] = (counts[status] ?? 0) + 1;
          if (told === undefined) continue;
          const wrong = [
            ...fiveHundred(told),
            ...await answerFaults(operation, told.response, check),
            ...accepted(operation, request, told.status, check),
          ];
          const shown = shownRequest(method, request);
          findings.push(...wrong.map((fault) => `${operationId}: ${fault} for ${shown}`));
          if (faults.length > 0) {
            findings.push(`${operationId}: ${faults.splice(0).map(inside).join()} for ${shown}`);
          }
        }
        await jobsEnd(app);
      }
    }
  } finally {
    await close();
  }
  return { requests, statuses, findings };
}

function inside(fault: unknown): string {
  return fault instanceof Error ? fault.stack ?? fault.message : String(fault);
}

function fiveHundred({ status }: { readonly status: number }): string[] {
  return status >= 500 && !BLAMED.includes(status) ? [`status ${status}`] : [];
}

/** A document that the schema refuses must be refused. */
function accepted(
  { operationId, requestBody }: DescribedOperation,
  { body, headers }: MadeRequest,
  status: number,
  check: ReturnType<typeof operationSchemas>["check"],
): string[] {
  const schema = requestBody?.content["application/json"]?.schema;
  // A job is taken before its document is read; an analysis ignores what only a merge uses.
  if (schema === undefined || "prefer" in headers || operationId === "analyze") return [];
  if (body === undefined || body.kind === "bytes" || body.document === undefined) return [];
  if (status >= 400) return [];
  // What is sent is JSON: the document without what JSON does not have.
  return check(schema, JSON.parse(body.text)).map((fault) => `is accepted although ${fault}`);
}

async function send(
  app: App,
  method: string,
  { path, headers, body }: MadeRequest,
  { files }: RequestMaking,
): Promise<{ readonly status: number; readonly response: Response } | undefined> {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), 1000 * PATIENCE);
  const init: RequestInit = { method, headers, signal: controller.signal };
  if (body?.kind === "text") init.body = body.text;
  if (body?.kind === "bytes") init.body = body.bytes;
  if (body?.kind === "form") {
    const form = new FormData();
    form.append(body.part, new Blob([body.text], { type: "application/json" }), "document.json");
    for (const [part, file] of Object.entries(body.files)) {
      form.append(part, new Blob([files[file]!]), file);
    }
    init.body = form;
  }
  try {
    const response = await app.request(path, init);
    const bytes = response.body === null ? null : await response.arrayBuffer();
    const { status } = response;
    return { status, response: new Response(bytes, { status, headers: response.headers }) };
  } catch (error) {
    if (controller.signal.aborted) return undefined;
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

function shownRequest(method: string, { path, headers, body }: MadeRequest): string {
  const text = body === undefined
    ? ""
    : body.kind === "bytes"
    ? `${body.bytes.length} bytes`
    : body.kind === "form"
    ? `${body.text} with ${Object.keys(body.files)}`
    : body.text;
  return `${method} ${path} ${JSON.stringify(headers)} ${text}`.slice(0, 1500);
}

/** Waits until no job works any more. */
async function jobsEnd(app: App): Promise<void> {
  for (;;) {
    const list = await app.request("/jobs");
    const { items } = await list.json() as { items: { id: string; state: string }[] };
    const open = items.filter(({ state }) => state === "queued" || state === "running");
    if (open.length === 0) return;
    for (const { id } of open) {
      await (await app.request(`/jobs/${id}`, { method: "DELETE" })).body?.cancel();
    }
    await new Promise((done) => setTimeout(done, 10));
  }
}

/** Stores what requests name, and gathers what they are made with. */
async function prepare(app: App, document: TestDocument): Promise<RequestMaking> {
  const files: Record<string, Uint8Array<ArrayBuffer>> = {};
  for (const file of [...FILES, "digits.onnx"]) {
    files[file] = await Deno.readFile(new URL(file, FOLDER));
  }
  for (const file of Object.values(STORED_EXAMPLES)) {
    const stored = await app.request("/checkpoints", { method: "POST", body: files[file]! });
    await stored.body?.cancel();
  }
  const ids = Object.keys(STORED_EXAMPLES);
  const models = ids.slice(0, 2).map((model) => ({ model }));
  const recipe = JSON.stringify({ merge_method: "linear", models });
  const type = { "content-type": "application/json" };
  const merge = await app.request("/merge", { method: "POST", headers: type, body: recipe });
  await merge.body?.cancel();
  const report = /\/merges\/([^/]+)\//.exec(merge.headers.get("link")!)![1]!;
  const begun = await app.request("/merge", {
    method: "POST",
    headers: { ...type, prefer: "respond-async" },
    body: recipe,
  });
  const { id: job } = await begun.json() as { id: string };
  const tag = `"${ids[0]}"`;
  const digest = `sha-256=:${Uint8Array.fromHex(ids[0]!.slice(7)).toBase64()}:`;
  return {
    files,
    names: ["base", "left", "right", "net", "rows", "x", "y", "ties", ...ids],
    resolve: (ref) =>
      (document.components["schemas"] as Record<string, Schema>)[ref.split("/").at(-1)!]!,
    path(operation, name) {
      if (name === "name") return ["ties", "linear", "tie"];
      if (name === "kind") return ["upstream", "invalid-recipe", "up"];
      if (/Job(?:Result)?$/.test(operation)) return [job, crypto.randomUUID()];
      if (operation === "getMergeReport") return [report, "x"];
      return [...ids, `sha256:${"0".repeat(64)}`];
    },
    headers: {
      "range": ["bytes=0-9", "bytes=-5", "bytes=0-1,5-9", "bytes=99999999-", "lines=1-2"],
      "if-range": [tag, '"other"'],
      "if-match": [tag, "*", '"other"'],
      "if-none-match": [tag, "*", '"other"'],
      "prefer": ["respond-async", "wait=10", "return=minimal"],
      "idempotency-key": ["one", "two", "three"],
      "content-digest": [digest, "sha-256=x", "md5=:AA==:"],
      "repr-digest": [digest, "sha-256=:AA==:"],
      "adapter-config": ["{}", '{"peft_type":"LORA"}', "["],
      "last-event-id": ["0", "1000001", "-1"],
    },
  };
}
