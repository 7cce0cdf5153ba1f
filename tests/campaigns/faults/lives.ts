/**
 * What callers do to a service while its disk is watched: one short life for each kind of work.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { tensorOf } from "../../../core/onnx/element_type.ts";
import { atmDocument, atmUploads } from "../../support/atm.ts";
import { checkpointBytes } from "../../support/merging.ts";
import {
  numbers,
  safetensorsOf,
  smallRequest,
  smallUploads,
  weights,
} from "../../support/small_model.ts";
import { digestId, smallCheckpoint } from "../../support/stored_checkpoint.ts";
import type { OpenLedger } from "./ledger.ts";

/** Sends a request to the service under test. */
export type Send = (path: string, init?: RequestInit) => Promise<Response>;

/** What a life works with. */
export interface LifePorts {
  readonly send: Send;
  readonly ledger: OpenLedger;
  /** Told before each kind of work, so that points are counted by it. */
  readonly phase?: (name: string) => void;
}

type Bytes = Uint8Array<ArrayBuffer>;

/** Stores bytes; what is answered is promised. */
export async function upload({ send, ledger }: LifePorts, bytes: Bytes): Promise<string> {
  // From here on it may be there again.
  ledger.removed.delete(await digestId(bytes));
  const answer = await send("/checkpoints", { method: "POST", body: bytes });
  const { id, detail } = await answer.json();
  assert(answer.ok, detail);
  ledger.stored.add(id);
  return id;
}

/** Posts a document, with files if there are any. */
export async function post(
  { send }: Pick<LifePorts, "send">,
  path: string,
  part: string,
  document: unknown,
  files: readonly (readonly [string, Bytes])[] = [],
  headers: Record<string, string> = {},
): Promise<Response> {
  if (files.length === 0) {
    const body = JSON.stringify(document);
    return await send(path, {
      method: "POST",
      body,
      headers: { "content-type": "application/json", ...headers },
    });
  }
  const form = new FormData();
  form.append(part, JSON.stringify(document));
  for (const [name, bytes] of files) form.append(name, new Blob([bytes]), name);
  return await send(path, { method: "POST", body: form, headers });
}

/** Uploads: small, of several writes, repeated, refused, several at once, removed and stored again. */
export async function uploads(ports: LifePorts): Promise<void> {
  const { send, ledger } = ports;
  ports.phase?.("upload");
  const first = await upload(ports, smallCheckpoint(3000));
  await upload(ports, smallCheckpoint(2_200_000, 1));
  assertEquals(await upload(ports, smallCheckpoint(3000)), first);
  const refused = await send("/checkpoints", {
    method: "POST",
    body: smallCheckpoint(500, 2),
    headers: { "repr-digest": `sha-256=:${new Uint8Array(32).toBase64()}:` },
  });
  assertEquals(refused.status, 400, await refused.text());
  await Promise.all([3, 4, 5].map((seed) => upload(ports, smallCheckpoint(70_000, seed))));
  // The same bytes twice at once.
  await Promise.all([6, 6].map((seed) => upload(ports, smallCheckpoint(4000, seed))));
  ledger.stored.delete(first);
  const gone = await send(`/checkpoints/${first}`, { method: "DELETE" });
  assertEquals(gone.status, 204);
  ledger.removed.add(first);
  await upload(ports, smallCheckpoint(3000));
}

const MERGE = {
  merge_method: "linear",
  models: [1, 2].map((i) => ({ model: `m${i}`, parameters: { weight: i } })),
};
/** Three small checkpoints that merge. */
export const MODELS: readonly Bytes[] = [1, 2, 3].map((seed) => safetensorsOf(weights(seed)));

/** Two more that merge, each larger than what an upload may have before it gets a file. */
export const LARGE_MODELS: readonly Bytes[] = [1, 2].map((seed) => {
  const wide = tensorOf("float32", [280_000], numbers(280_000, seed));
  return safetensorsOf({ ...weights(seed), wide });
});

/** Merges: of stored checkpoints, of uploads, one refused, one whose reader goes away, a task vector. */
export async function merges(ports: LifePorts): Promise<void> {
  ports.phase?.("merge");
  const ids = [];
  for (const model of MODELS) ids.push(await upload(ports, model));
  const stored = { m1: { checkpoint: ids[0] }, m2: { checkpoint: ids[1] } };
  const files = [["m1", LARGE_MODELS[0]!], ["m2", LARGE_MODELS[1]!]] as const;
  const one = await post(ports, "/merge", "recipe", { ...MERGE, sources: stored });
  const bytes = new Uint8Array(await one.arrayBuffer());
  assertEquals(one.status, 200, new TextDecoder().decode(bytes));
  for (let again = 0; again < 3; again++) {
    const two = await post(ports, "/merge", "recipe", MERGE, files);
    assertEquals(two.status, 200);
    assertEquals((await two.arrayBuffer()).byteLength > 0, true);
  }
  const wrong = await post(ports, "/merge", "recipe", MERGE, [files[0], [
    "m2",
    smallCheckpoint(9),
  ]]);
  assertEquals(wrong.status, 422, await wrong.text());
  const left = await post(ports, "/merge", "recipe", MERGE, files);
  await left.body!.cancel();
  // Its result becomes a checkpoint only when somebody stores it.
  await upload(ports, bytes);
  const vector = await post(ports, "/task-vectors", "request", {
    base: "m1",
    model: "m2",
    sources: stored,
  });
  const made = await vector.json();
  assert(vector.ok, made.detail);
  ports.ledger.stored.add(made.id);
}

const BATCHED = { local: { epochs: 1 } };

/** Tunes twice, by upload and from the store; answers the tuned checkpoint's id. */
export async function tunes(ports: LifePorts): Promise<void> {
  ports.phase?.("tune");
  for (const seed of [0, 1, 2]) {
    const document = smallRequest({ ...BATCHED, seed });
    const answer = await post(ports, "/tune", "request", document, smallUploads());
    const told = await answer.json();
    assert(answer.ok, told.detail);
    ports.ledger.stored.add(told.checkpoint.id).add(told.task_vector.id);
  }
  const ids: Record<string, { checkpoint: string }> = {};
  for (const [name, bytes] of smallUploads()) {
    ids[name] = { checkpoint: await upload(ports, bytes) };
  }
  const answer = await post(ports, "/tune", "request", smallRequest({ seed: 3, sources: ids }));
  const told = await answer.json();
  assert(answer.ok, told.detail);
  ports.ledger.stored.add(told.checkpoint.id).add(told.task_vector.id);
}

/** Waits until a job has ended; answers it. */
export async function endedJob(send: Send, path: string): Promise<Record<string, unknown>> {
  for (let waited = 0; waited < 30_000; waited += 5) {
    const answer = await send(path);
    const job = await answer.json();
    if (answer.ok && !["queued", "running"].includes(job.state)) return job;
    await new Promise((done) => setTimeout(done, 5));
  }
  throw new Error(`The job does not end: ${path}`);
}

/** The checkpoint that an ended job made. */
export function madeBy(job: Record<string, unknown>): string {
  const { result } = job as { result?: { checkpoint?: { id?: string } } };
  const id = result?.checkpoint?.id;
  assert(job.state === "done", JSON.stringify(job));
  assert(id !== undefined, JSON.stringify(job));
  return id;
}

/** Jobs: a merge and a tuning; what each must make is known from a call that went well before. */
export async function jobs(
  ports: LifePorts,
  expected: Readonly<Record<string, string>> = {},
): Promise<Record<string, string>> {
  ports.phase?.("job");
  const made: Record<string, string> = {};
  for (const [name, call] of Object.entries(JOB_CALLS)) {
    const answer = await post(ports, call.path, call.part, call.document, call.files, {
      prefer: "respond-async",
      "idempotency-key": `life-${name}`,
    });
    const text = await answer.text();
    assertEquals(answer.status, 202, text);
    const path = answer.headers.get("location")!;
    ports.ledger.jobs.push({ path, makes: expected[name] ?? "" });
    made[name] = madeBy(await endedJob(ports.send, path));
    ports.ledger.stored.add(made[name]);
  }
  return made;
}

/** A call that is made as a job. */
export interface JobCall {
  readonly path: string;
  readonly part: string;
  readonly document: unknown;
  readonly files: readonly (readonly [string, Bytes])[];
}

/** The calls that are made as jobs. */
export const JOB_CALLS: Readonly<Record<string, JobCall>> = {
  merge: {
    path: "/merge",
    part: "recipe",
    document: MERGE,
    files: [["m1", MODELS[0]!], ["m2", MODELS[2]!]],
  },
  tune: {
    path: "/tune",
    part: "request",
    document: smallRequest({ ...BATCHED, seed: 9 }),
    files: smallUploads(),
  },
};

/** A merge of many tensors, which a kill meets at its work; each of them is made durable by itself. */
export const LONG_MERGE: JobCall = {
  path: "/merge",
  part: "recipe",
  document: {
    merge_method: "ties",
    base_model: "base",
    models: [{ model: "tuned", parameters: { density: 0.5, weight: 1 } }],
  },
  files: [["base", longModel(1)], ["tuned", longModel(2)]],
};

const ROUNDS_DOCUMENT = atmDocument({ rounds: 3 });

/** Rounds of tuning and merging, each of which is kept. */
export const ROUNDS: JobCall = {
  path: "/atm",
  part: "request",
  document: ROUNDS_DOCUMENT,
  files: atmUploads(ROUNDS_DOCUMENT),
};

function longModel(seed: number): Bytes {
  const tensors = Array.from({ length: 24 }, (_, t) => {
    const values = Array.from({ length: 1 << 14 }, (_, i) => ((i + t) * (2 * seed + 1)) % 251);
    return [`layer.${t}.weight`, { shape: [1 << 14], values }] as const;
  });
  return checkpointBytes(Object.fromEntries(tensors));
}
