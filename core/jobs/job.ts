/**
 * What a job is: a long call that is kept in the records until it is done.
 *
 * @module
 */
import { del, get, getMany, keys, set, type UseStore } from "idb-keyval";
import type { SpanContext } from "@opentelemetry/api";
import type { BlobId } from "../store/blobs.ts";

/** Where a job stands. */
export type JobState = "queued" | "running" | "done" | "failed" | "cancelled";

/** How far a job is. */
export interface JobProgress {
  readonly done: number;
  /** Null as long as nobody knows. */
  readonly total: number | null;
  readonly unit: string;
  readonly message: string;
}

/** The request that a job answers; its body stands in the blob store. */
export interface JobRequest {
  /** Path and query. */
  readonly path: string;
  /** Header fields that decide the answer. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: BlobId;
  /** Stored checkpoints that its document names; absent in jobs of earlier versions. */
  readonly names?: readonly BlobId[];
  /** The span that submitted it, where there is one. */
  readonly span?: SpanContext;
}

/** A job as it is kept. Times are ISO 8601. */
export interface Job {
  readonly id: string;
  /** The call, such as `merge`. */
  readonly kind: string;
  /** SHA-256 of the caller's key, or `anyone`. */
  readonly owner: string;
  readonly state: JobState;
  readonly progress: JobProgress;
  readonly result: unknown;
  readonly problem: unknown;
  readonly created: string;
  readonly started: string | null;
  readonly finished: string | null;
  readonly request: JobRequest;
  /** Times that it was started. */
  readonly attempts: number;
  /** The run of rounds that it goes on with, where that is another's. */
  readonly run?: string;
  /** The record of its `Idempotency-Key`. */
  readonly key?: string;
}

/** The members of a job that callers see. */
export type ToldJob = Omit<Job, "owner" | "request" | "attempts" | "run" | "key">;

const PREFIX = "job/";
const KEY = "idempotency/";

/** Whether a job has ended. */
export function isEnded({ state }: Pick<Job, "state">): boolean {
  return state !== "queued" && state !== "running";
}

/** A job as callers see it. */
export function toldJob(job: Job): ToldJob {
  const { owner: _, request: _1, attempts: _2, run: _3, key: _4, ...told } = job;
  return told;
}

/** The run of rounds that a job has, if it has one: its own has its id. */
export function runOf({ run, id }: Pick<Job, "run" | "id">): string {
  return run ?? id;
}

/** Keeps a job. */
export async function putJob(records: UseStore, job: Job): Promise<void> {
  await set(PREFIX + job.id, job, records);
}

/** The job of an id, or undefined. */
export async function getJob(records: UseStore, id: string): Promise<Job | undefined> {
  return await get<Job>(PREFIX + id, records);
}

/** Forgets a job and its idempotency key. */
export async function removeJob(records: UseStore, job: Job): Promise<void> {
  // The key may stand for a later job by now.
  const known = job.key === undefined ? undefined : await getKey(records, job.key);
  if (known?.job === job.id) await del(KEY + job.key, records);
  await del(PREFIX + job.id, records);
}

/** All jobs, oldest first. */
export async function listJobs(records: UseStore): Promise<Job[]> {
  const ids = (await keys<string>(records)).filter((key) => key.startsWith(PREFIX));
  const jobs = (await getMany<Job>(ids, records)).filter((job) => job !== undefined);
  return jobs.sort((a, b) => a.created < b.created ? -1 : a.created > b.created ? 1 : 0);
}

/** Which request first came with an idempotency key. */
export interface KeyRecord {
  readonly job: string;
  /** Digest of the request. */
  readonly fingerprint: string;
}

/** Keeps which request came with a key. */
export async function putKey(records: UseStore, key: string, record: KeyRecord): Promise<void> {
  await set(KEY + key, record, records);
}

/** What first came with a key, or undefined. */
export async function getKey(records: UseStore, key: string): Promise<KeyRecord | undefined> {
  return await get<KeyRecord>(KEY + key, records);
}
