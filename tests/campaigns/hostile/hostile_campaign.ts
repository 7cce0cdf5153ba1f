/**
 * The hostile-input campaign: generated requests through the application, each judged by the same few rules.
 *
 * - never a 500, and no fault told to the log;
 * - an answer within five seconds, its body included;
 * - every refusal is a problem document that holds together;
 * - the process' memory stays below a ceiling, and goes back;
 * - nothing is connected to that lies in the service's own network, and no prototype is touched.
 *
 * @module
 */
import fc from "fast-check";
import { PROBLEMS } from "../../../core/problem.ts";
import { isPrivateHost } from "../../../core/sources/private_host.ts";
import { testApp } from "../../support/service.ts";
import { addressInputs, sourceInputs } from "./address_inputs.ts";
import { adapterInputs } from "./adapter_inputs.ts";
import { jsonInputs, yamlInputs } from "./document_inputs.ts";
import { onnxInputs, safetensorsInputs, shardInputs } from "./file_inputs.ts";
import type { HostileInput, Inputs } from "./hostile_input.ts";
import { multipartInputs } from "./multipart_inputs.ts";

/** The kinds of input, and how many of a hundred are of each. */
export const KINDS: Readonly<Record<string, { readonly inputs: Inputs; readonly share: number }>> =
  {
    "safetensors": { inputs: safetensorsInputs, share: 19 },
    "onnx": { inputs: onnxInputs, share: 14 },
    "recipe as JSON": { inputs: jsonInputs, share: 17 },
    "recipe as YAML": { inputs: yamlInputs, share: 15 },
    "multipart": { inputs: multipartInputs, share: 10 },
    "npz and Parquet": { inputs: shardInputs, share: 8 },
    "adapters": { inputs: adapterInputs, share: 5 },
    "sources": { inputs: sourceInputs, share: 7 },
    "addresses and headers": { inputs: addressInputs, share: 5 },
  };

/** What came of one kind. */
export interface KindReport {
  readonly count: number;
  /** Answers by status. */
  readonly statuses: Readonly<Record<number, number>>;
  /** Problems by kind. */
  readonly problems: Readonly<Record<string, number>>;
  readonly slowest_ms: number;
  /** Answers whose stream broke off after it had begun. */
  readonly brokenOff: number;
}

/** What the campaign found. */
export interface HostileReport {
  readonly total: number;
  readonly seconds: number;
  readonly kinds: Readonly<Record<string, KindReport>>;
  /** Largest resident set above that at the start, and what was left at the end, in MB. */
  readonly peak_mb: number;
  readonly left_mb: number;
  readonly findings: readonly string[];
}

/** Longest time for one input. */
const PATIENCE_MS = 5000;
/** Inputs that one application serves. */
const BATCH = 250;

/** Sends this many inputs, the same for the same seed. */
export async function hostileCampaign(
  { total, seed = 1, only }: {
    readonly total: number;
    readonly seed?: number;
    /** One kind instead of all. */
    readonly only?: string;
  },
): Promise<HostileReport> {
  const started = performance.now();
  const kinds: Record<string, KindReport> = {};
  const findings: string[] = [];
  const watch = watchFetch(findings);
  const resident = () => Deno.memoryUsage().rss / 1e6;
  let first: number | undefined;
  let peak = 0;
  let sent = 0;
  try {
    for (const [kind, { inputs, share }] of Object.entries(KINDS)) {
      if (only !== undefined && kind !== only) continue;
      const count = only === undefined ? Math.ceil(total * share / 100) : total;
      const tally = new Tally();
      for (let at = 0; at < count; at += BATCH) {
        const batch = fc.sample(inputs, {
          seed: seed * 1_000_003 + at,
          numRuns: Math.min(BATCH, count - at),
        });
        const { app, faults, close } = testApp({
          sourceHosts: ["*"],
          maximumUpload: 1 << 20,
          guards: { resolve },
        });
        try {
          for (const [i, input] of batch.entries()) {
            const told = await judge(app, input, tally);
            const fault = faults.splice(0)[0];
            const wrong = told ??
              (fault === undefined ? undefined : `a fault of ours: ${trace(fault)}`);
            if (wrong !== undefined) findings.push(`${kind} ${at + i}: ${wrong}: ${show(input)}`);
            if (Object.hasOwn(Object.prototype, "polluted")) {
              findings.push(`${kind} ${at + i}: prototype`);
            }
          }
        } finally {
          await close();
        }
        // The engine is there after the first batches.
        first ??= resident();
        peak = Math.max(peak, resident() - first);
      }
      kinds[kind] = tally.report();
      sent += count;
    }
  } finally {
    watch();
  }
  return {
    total: sent,
    seconds: Math.round((performance.now() - started) / 100) / 10,
    kinds,
    peak_mb: Math.round(peak),
    left_mb: Math.round(resident() - (first ?? 0)),
    findings,
  };
}

class Tally {
  count = 0;
  slowest = 0;
  brokenOff = 0;
  readonly statuses: Record<number, number> = {};
  readonly problems: Record<string, number> = {};

  report(): KindReport {
    const { count, statuses, problems, brokenOff } = this;
    return { count, statuses, problems, slowest_ms: Math.round(this.slowest), brokenOff };
  }
}

/** Sends an input; what is wrong with the answer, if something is. */
async function judge(
  app: { fetch(request: Request): Response | Promise<Response> },
  input: HostileInput,
  tally: Tally,
): Promise<string | undefined> {
  const { method, path, headers, body } = input;
  let request: Request;
  try {
    request = new Request(`http://localhost${path}`, {
      method,
      headers,
      ...(body ? { body } : {}),
    });
  } catch {
    // No client can send it either.
    return undefined;
  }
  const started = performance.now();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<"late">((done) => timer = setTimeout(() => done("late"), PATIENCE_MS));
  const told = (async () => {
    const answer = await app.fetch(request);
    const text = method === "HEAD" ? "" : await answer.text().catch(() => undefined);
    return { answer, text };
  })();
  const first = await Promise.race([told, late]).catch((error) => `it throws ${error}`);
  clearTimeout(timer);
  const milliseconds = performance.now() - started;
  tally.count++;
  tally.slowest = Math.max(tally.slowest, milliseconds);
  if (first === "late" || milliseconds > PATIENCE_MS) return "no answer within five seconds";
  if (typeof first === "string") return first;
  const { answer, text } = first;
  tally.statuses[answer.status] = (tally.statuses[answer.status] ?? 0) + 1;
  if (text === undefined) tally.brokenOff++;
  if (answer.status === 500) return `500 ${text}`;
  if (answer.status < 400 || method === "HEAD") return undefined;
  return faultOfProblem(answer, text ?? "", tally);
}

function faultOfProblem(answer: Response, text: string, tally: Tally): string | undefined {
  if (answer.headers.get("content-type") !== "application/problem+json") {
    return `${answer.status} without a problem document: ${text.slice(0, 200)}`;
  }
  let document: Record<string, unknown>;
  try {
    document = JSON.parse(text);
  } catch {
    return `${answer.status} with what is no JSON: ${text.slice(0, 200)}`;
  }
  const { type, title, status, detail, instance, errors } = document;
  const kind = String(type).replace("/problems/", "");
  tally.problems[kind] = (tally.problems[kind] ?? 0) + 1;
  const complete = Object.hasOwn(PROBLEMS, kind) && status === answer.status &&
    [title, detail, instance].every((each) => typeof each === "string" && each !== "") &&
    (errors === undefined || Array.isArray(errors) && errors.length > 0);
  if (!complete) return `not a complete problem document: ${text.slice(0, 300)}`;
  // A refusal must not be an amplifier.
  if (text.length > 300_000) return `a refusal of ${text.length} characters`;
  if (/\n\s+at |\.ts:\d/.test(String(detail))) return `it shows the inside: ${detail}`;
  return undefined;
}

/** Every name leads into the own network, so that nothing may be connected to but public literal addresses. */
function resolve(host: string): Promise<readonly string[]> {
  return Promise.resolve(host.length % 2 ? ["127.0.0.1"] : ["93.184.216.34", "10.0.0.1"]);
}

/** Nothing leaves this machine; what would is looked at. */
function watchFetch(findings: string[]): () => void {
  const { fetch } = globalThis;
  globalThis.fetch = (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input);
    if (!/^https?:$/.test(url.protocol)) return fetch(input, init);
    if (isPrivateHost(url.hostname)) findings.push(`a request went out to ${url.href}`);
    return Promise.resolve(new Response("gone", { status: 404 }));
  };
  return () => void (globalThis.fetch = fetch);
}

function trace(fault: unknown): string {
  return fault instanceof Error
    ? fault.stack?.split("\n").slice(0, 5).join(" | ") ?? ""
    : String(fault);
}

function show({ method, path, headers, body }: HostileInput): string {
  const bytes = body === undefined ? "" : body.subarray(0, 300).toBase64();
  return `${method} ${path.slice(0, 100)} ${
    JSON.stringify(headers).slice(0, 200)
  } ${body?.length} bytes ${bytes}`;
}
