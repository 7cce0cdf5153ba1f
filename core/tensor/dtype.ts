/**
 * The element types of the safetensors format.
 *
 * @module
 */

/** What is known of one element type. */
export interface DTypeInfo {
  /** Bytes per element. */
  readonly bytes: number;
  /** `float` types are merged; all others are copied (METHODS.md 2.7). */
  readonly kind: "float" | "integer" | "boolean";
  /** The names mergekit and PyTorch use for it in `dtype` and `out_dtype`. */
  readonly aliases: readonly string[];
}

/** Every element type that amalgam reads and writes, by its safetensors name. */
export const DTYPES = {
  F64: { bytes: 8, kind: "float", aliases: ["float64", "double"] },
  F32: { bytes: 4, kind: "float", aliases: ["float32", "float"] },
  F16: { bytes: 2, kind: "float", aliases: ["float16", "half"] },
  BF16: { bytes: 2, kind: "float", aliases: ["bfloat16"] },
  F8_E4M3: { bytes: 1, kind: "float", aliases: ["float8_e4m3fn", "float8_e4m3"] },
  F8_E5M2: { bytes: 1, kind: "float", aliases: ["float8_e5m2"] },
  I64: { bytes: 8, kind: "integer", aliases: ["int64", "long"] },
  I32: { bytes: 4, kind: "integer", aliases: ["int32", "int"] },
  I16: { bytes: 2, kind: "integer", aliases: ["int16", "short"] },
  I8: { bytes: 1, kind: "integer", aliases: ["int8"] },
  U64: { bytes: 8, kind: "integer", aliases: ["uint64"] },
  U32: { bytes: 4, kind: "integer", aliases: ["uint32"] },
  U16: { bytes: 2, kind: "integer", aliases: ["uint16"] },
  U8: { bytes: 1, kind: "integer", aliases: ["uint8"] },
  BOOL: { bytes: 1, kind: "boolean", aliases: ["bool"] },
} as const satisfies Record<string, DTypeInfo>;

/** Name of an element type as safetensors headers write it. */
export type DType = keyof typeof DTYPES;

/** Whether a header's dtype string names a type of {@linkcode DTYPES}. */
export function isDType(name: string): name is DType {
  return Object.hasOwn(DTYPES, name);
}

/** The dtype that a recipe's `out_dtype` or `dtype` names (either spelling), or undefined. */
export function parseDType(name: string): DType | undefined {
  if (isDType(name)) return name;
  for (const [dtype, info] of Object.entries(DTYPES) as [DType, DTypeInfo][]) {
    if (info.aliases.includes(name)) return dtype;
  }
  return undefined;
}

/** Every name of the types of some kinds, in either spelling: what a document may say. */
export function dtypeNames(...kinds: readonly DTypeInfo["kind"][]): string[] {
  return Object.entries<DTypeInfo>(DTYPES).flatMap(([name, { kind, aliases }]) =>
    kinds.includes(kind) ? [...aliases, name] : []
  );
}

/** Number of elements of a shape; the scalar shape `[]` has one. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}
