/**
 * What the service tells of itself.
 *
 * @module
 */
import * as v from "valibot";
import { Members } from "./common.ts";

/** `GET /`. */
export const Overview = v.strictObject({
  name: v.literal("amalgam"),
  version: v.string(),
  resources: v.record(v.string(), v.string()),
});

/** `GET /engine`. */
export const Engine = v.strictObject({
  name: v.picklist(["fused", "wasm", "webgpu"]),
  adapter: v.optional(v.pipe(v.string(), v.description("The GPU, as the host names it."))),
  software: v.optional(
    v.pipe(v.boolean(), v.description("Whether the processor plays the GPU.")),
  ),
  fallback: v.optional(v.pipe(v.string(), v.description("Why it is not what was asked for."))),
  width: v.pipe(v.number(), v.integer(), v.description("Threads that merge at once.")),
});

/** `GET /healthz`. */
export const Alive = v.strictObject({ status: v.literal("alive") });

/** `GET /readyz`. */
export const Ready = v.strictObject({ status: v.literal("ready") });

/** `GET /openapi.json`; the standard says what stands in it. */
export const OpenApi = v.looseObject({
  openapi: v.literal("3.1.1"),
  info: Members,
  paths: Members,
  components: Members,
});
