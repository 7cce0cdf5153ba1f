/**
 * What the service tells of itself.
 *
 * @module
 */
import * as v from "valibot";
import { Members } from "./common.ts";
import { ENGINE_CHOICE } from "./engine.ts";

/** `GET /`. */
export const Overview = v.strictObject({
  name: v.literal("amalgam"),
  version: v.string(),
  resources: v.record(v.string(), v.string()),
});

/** `GET /engine`. */
export const Engine = v.strictObject({
  ...ENGINE_CHOICE,
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
