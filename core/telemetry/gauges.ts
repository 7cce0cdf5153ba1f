/**
 * What the service holds at a time, asked for whenever metrics are collected.
 *
 * @module
 */
import { metrics } from "@opentelemetry/api";
import type { FairQueue } from "../jobs/fair_queue.ts";
import type { MemoryBudget } from "../memory_budget.ts";
import { VERSION } from "../version.ts";
import { type Attributes, SCOPE } from "./attributes.ts";

/** What is asked. */
export interface Observed {
  readonly queue: FairQueue;
  readonly memory: MemoryBudget;
  /** Request bodies that are being received. */
  readonly uploads: () => number;
  /** Jobs that have not ended, by state. */
  readonly jobs: () => Readonly<Record<string, number>>;
  /** Bytes of the process that are in memory, where the host tells. */
  readonly resident?: () => number;
}

type Values = readonly (readonly [value: number, attributes?: Attributes])[];

/** Registers the gauges of one application. */
export function observe({ queue, memory, uploads, jobs, resident }: Observed): void {
  gauge("amalgam.queue", "{call}", "Long calls that run and that wait", () => {
    const { running, waiting } = queue.counts();
    return [[running, { state: "running" }], [waiting, { state: "waiting" }]];
  });
  gauge("amalgam.memory.planned", "By", "Memory that running work has taken of the budget", () => [
    [memory.taken()],
  ]);
  gauge("amalgam.memory.limit", "By", "The budget of memory", () => [[memory.limit]]);
  gauge("amalgam.memory.waiting", "{call}", "Calls that wait for memory", () => [
    [memory.waiting()],
  ]);
  gauge("amalgam.uploads", "{request}", "Request bodies that are being received", () => [
    [uploads()],
  ]);
  gauge(
    "amalgam.jobs",
    "{job}",
    "Jobs that have not ended",
    () => Object.entries(jobs()).map(([state, count]) => [count, { state }]),
  );
  if (resident) {
    gauge("process.memory.usage", "By", "Physical memory in use", () => [[resident()]]);
  }
}

function gauge(name: string, unit: string, description: string, values: () => Values): void {
  metrics.getMeter(SCOPE, VERSION).createObservableGauge(name, { unit, description }).addCallback(
    (result) => {
      for (const [value, attributes = {}] of values()) result.observe(value, { ...attributes });
    },
  );
}
