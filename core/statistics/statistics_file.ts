/**
 * Statistics as a file: a safetensors checkpoint of kind `statistics`, one tensor for each tensor of the model.
 *
 * Matrices of layer inputs are the mean of `x xᵀ` over rows, float64; Fisher values are means, float32.
 *
 * @module
 */
import * as v from "valibot";
import type { Bytes } from "../checkpoint/byte_source.ts";
import { layoutSafetensors } from "../checkpoint/write_safetensors.ts";
import { canonicalJson } from "../merge/provenance.ts";
import type { LayerInfo } from "./gathering.ts";

/** The metadata key that holds what follows. */
export const STATISTICS = "amalgam.statistics";

/** Matrices of layer inputs, the same taken along a merge, or Fisher values. */
export type StatisticsKind = "gram" | "gram_along" | "fisher";

/** What is known of the statistics of one model. */
export interface StatisticsInfo {
  readonly kind: StatisticsKind;
  /** Rows of all shards together. */
  readonly rows: number;
  /** Of those taken along a merge: its parameters, as canonical JSON. */
  readonly merge?: string;
  /** By weight; not of Fisher values. */
  readonly layers: Readonly<Record<string, LayerInfo>>;
}

/** One tensor to be written. */
export interface StatisticsTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer>;
}

const Count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const InfoSchema = v.object({
  kind: v.picklist(["gram", "gram_along", "fisher"]),
  rows: Count,
  merge: v.optional(v.string()),
  layers: v.optional(
    v.record(
      v.string(),
      v.object({ axis: v.picklist([0, 1]), bias: v.optional(v.string()), rows: Count }),
    ),
    {},
  ),
});

/** The bytes of a file. */
export function* statisticsFile(
  tensors: readonly StatisticsTensor[],
  info: StatisticsInfo & Readonly<Record<string, unknown>>,
  version: string,
): Generator<Bytes> {
  const layout = layoutSafetensors(
    tensors.map(({ name, shape, values }) => ({
      name,
      shape,
      dtype: values instanceof Float64Array ? "F64" : "F32",
    })),
    {
      format: "pt",
      kind: "statistics",
      "amalgam.version": version,
      [STATISTICS]: canonicalJson(info),
    },
  );
  const byName = new Map(tensors.map(({ name, values }) => [name, values]));
  yield layout.header;
  for (const { name } of layout.tensors) {
    const { buffer, byteOffset, byteLength } = byName.get(name)!;
    yield new Uint8Array(buffer, byteOffset, byteLength);
  }
}

/** What a file's metadata tells of its statistics; undefined if it says nothing, or nothing that can be read. */
export function statisticsInfo(
  metadata: Readonly<Record<string, string>>,
): StatisticsInfo | undefined {
  if (!Object.hasOwn(metadata, STATISTICS)) return undefined;
  try {
    const { success, output } = v.safeParse(InfoSchema, JSON.parse(metadata[STATISTICS]!));
    return success ? output as StatisticsInfo : undefined;
  } catch {
    return undefined;
  }
}
