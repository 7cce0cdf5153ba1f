/**
 * The safetensors file that a plan makes, in whatever form it is answered.
 *
 * @module
 */
import { layoutSafetensors, type SafetensorsLayout } from "../checkpoint/write_safetensors.ts";
import type { Plan } from "./plan_types.ts";

/** Header and places of all tensors that are written. */
export function planLayout({ tensors, metadata }: Plan): SafetensorsLayout {
  return layoutSafetensors(tensors.filter(({ work }) => work), metadata);
}
