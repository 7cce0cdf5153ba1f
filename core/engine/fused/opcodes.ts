/**
 * Numbers of the SIMD instructions that programs are written with.
 *
 * @module
 */
import type { BinaryOperation, Comparison, Transcendental, UnaryOperation } from "./program.ts";

/** Arithmetic of one precision. */
export type Opcodes = Readonly<
  Record<BinaryOperation | Exclude<UnaryOperation, Transcendental>, number>
>;

/** `f32x4`; `pmin` and `pmax`, which are one instruction where `min` and `max` are many. */
export const F32: Opcodes = {
  abs: 0xe0,
  neg: 0xe1,
  sqrt: 0xe3,
  add: 0xe4,
  sub: 0xe5,
  mul: 0xe6,
  div: 0xe7,
  min: 0xea,
  max: 0xeb,
};

/** `f64x2`. */
export const F64: Opcodes = {
  abs: 0xec,
  neg: 0xed,
  sqrt: 0xef,
  add: 0xf0,
  sub: 0xf1,
  mul: 0xf2,
  div: 0xf3,
  min: 0xf6,
  max: 0xf7,
};

/** Comparisons. */
export const COMPARE: Readonly<Record<"f32" | "f64", Readonly<Record<Comparison, number>>>> = {
  f32: { eq: 0x41, lt: 0x43, gt: 0x44, le: 0x45, ge: 0x46 },
  f64: { eq: 0x47, lt: 0x49, gt: 0x4a, le: 0x4b, ge: 0x4c },
};

/** Integers in lanes of 16 and 32 bits. */
export const INTEGER = {
  equal32: 0x37,
  greater32: 0x3b,
  greaterOrEqual32: 0x3f,
  and: 0x4e,
  andNot: 0x4f,
  or: 0x50,
  anyTrue: 0x53,
  narrow32: 0x86,
  extendLow16: 0xa9,
  shiftLeft32: 0xab,
  shiftRight32: 0xad,
  add32: 0xae,
  subtract32: 0xb1,
  maximum32: 0xb9,
} as const;

/** Bits of `f64x2`. */
export const INTEGER64 = {
  less: 0x49,
  and: 0x4e,
  or: 0x50,
  nearest: 0x94,
  shiftLeft: 0xcb,
  shiftRight: 0xcd,
  add: 0xce,
} as const;

/** Everything else. */
export const DIVERSE = {
  load: 0x00,
  load16x4: 0x04,
  load32Splat: 0x09,
  load64Splat: 0x0a,
  store: 0x0b,
  extractF64: 0x21,
  bitselect: 0x52,
  load16Lane: 0x55,
  load64Lane: 0x57,
  store32Lane: 0x5a,
  store64Lane: 0x5b,
  load32Zero: 0x5c,
  load64Zero: 0x5d,
  demote: 0x5e,
  promote: 0x5f,
} as const;
