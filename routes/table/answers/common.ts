/**
 * Parts that several answers have.
 *
 * @module
 */
import * as v from "valibot";
import { type DType, DTYPES } from "../../../core/tensor/dtype.ts";
import { BlobIdSchema } from "../parameters.ts";

/** An integer from 0 on. */
export const Count = v.pipe(v.number(), v.integer(), v.minValue(0));
/** A list of numbers. */
export const Numbers = v.array(v.number());
/** A list of names. */
export const Names = v.array(v.string());
/** The sizes of a tensor. */
export const Shape = v.array(Count);
/** An element type, by its safetensors name. */
export const DTypeName = v.picklist(Object.keys(DTYPES) as DType[]);
/** Anything by name. */
export const Members = v.record(v.string(), v.unknown());
/** Where something is stored. */
export const Stored = v.strictObject({ id: BlobIdSchema });
/** ISO 8601. */
export const Time = v.pipe(v.string(), v.isoTimestamp());

/** A problem document inside of another answer. */
export const ProblemMember = v.looseObject({
  type: v.string(),
  title: v.string(),
  status: Count,
  detail: v.string(),
  instance: v.string(),
});

/** The events that every stream may tell. */
export const COMMON_EVENTS = [
  v.strictObject({ event: v.literal("working"), seconds: v.number() }),
  v.looseObject({ event: v.literal("error"), ...ProblemMember.entries }),
] as const;
