/**
 * What the service counts and measures. Without a provider of OpenTelemetry every call here does nothing.
 *
 * @module
 */
import { metrics } from "@opentelemetry/api";
import { VERSION } from "../version.ts";
import { type Attributes, SCOPE } from "./attributes.ts";

/** Adds to a sum, or to a distribution. */
export type Measure = (value: number, attributes?: Attributes) => void;

/** Upper bounds of a chunk's time, in seconds: on the processor they take milliseconds. */
const CHUNK_SECONDS = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 5];

/** Bytes of request bodies, by route. */
export const bytesReceived: Measure = counter(
  "amalgam.bytes.received",
  "By",
  "Bytes of request bodies that were received",
);

/** Bytes of answers, by route. */
export const bytesSent: Measure = counter(
  "amalgam.bytes.sent",
  "By",
  "Bytes of answers that clients took",
);

/** Tensors that a merge has dealt with, by what was done. */
export const tensorsMerged: Measure = counter(
  "amalgam.tensors",
  "{tensor}",
  "Tensors that merges have written or left out",
);

/** Seconds of chunks, on whatever engine. */
export const chunkSeconds: Measure = histogram(
  "amalgam.chunk.duration",
  "s",
  "Time from handing a chunk to the engine to its result",
  CHUNK_SECONDS,
);

/** Requests that were answered with a problem, by its kind. */
export const problems: Measure = counter(
  "amalgam.problems",
  "{request}",
  "Requests that were answered with a problem",
);

/** Jobs that have ended, by call and state. */
export const jobsEnded: Measure = counter("amalgam.jobs.ended", "{job}", "Jobs that have ended");

/** The instrument is made when it is first used: a provider may come after this module. */
function counter(name: string, unit: string, description: string): Measure {
  let made: ReturnType<ReturnType<typeof meter>["createCounter"]> | undefined;
  return (value, attributes = {}) => {
    made ??= meter().createCounter(name, { unit, description });
    made.add(value, { ...attributes });
  };
}

function histogram(name: string, unit: string, description: string, bounds: number[]): Measure {
  let made: ReturnType<ReturnType<typeof meter>["createHistogram"]> | undefined;
  return (value, attributes = {}) => {
    const advice = { explicitBucketBoundaries: bounds };
    made ??= meter().createHistogram(name, { unit, description, advice });
    made.record(value, { ...attributes });
  };
}

function meter() {
  return metrics.getMeter(SCOPE, VERSION);
}
