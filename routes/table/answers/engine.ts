/**
 * What a merge runs on.
 *
 * @module
 */
import * as v from "valibot";
import { DEVICE_WORK } from "../../../core/engine/webgpu/device_sizes.ts";

const Elements = v.pipe(v.number(), v.integer(), v.minValue(1));
const Nanoseconds = v.pipe(v.number(), v.minValue(0));

/** The members of an `EngineChoice`. */
export const ENGINE_CHOICE = {
  name: v.pipe(
    v.picklist(["fused", "wasm", "webgpu"]),
    v.description("`wasm` is ONNX Runtime on the processor."),
  ),
  adapter: v.optional(v.pipe(v.string(), v.description("The GPU, as the host names it."))),
  software: v.optional(
    v.pipe(v.boolean(), v.description("Whether the processor plays the GPU.")),
  ),
  fallback: v.optional(v.pipe(v.string(), v.description("Why it is not what was asked for."))),
  from: v.optional(v.pipe(
    v.strictObject({
      map: v.optional(Elements),
      sums: v.optional(Elements),
      selected: v.optional(Elements),
    }),
    v.description(
      "From how many elements on tensors run on the GPU: those that are only mapped, those of " +
        "which sums are taken too, and those that a selection thins out. Without it all that can do; " +
        "without a member none.",
    ),
  )),
  reason: v.optional(v.pipe(v.string(), v.description("Why `auto` chose so."))),
  measured: v.optional(v.pipe(
    v.array(v.strictObject({
      work: v.picklist(DEVICE_WORK),
      elements: Elements,
      fused: Nanoseconds,
      webgpu: Nanoseconds,
    })),
    v.description("What `auto` measured: nanoseconds for an element on both engines."),
  )),
};
