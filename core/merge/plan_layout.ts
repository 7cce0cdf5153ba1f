/**
 * The safetensors file that a plan makes, in whatever form it is answered.
 *
 * @module
 */
import { layoutSafetensors, type SafetensorsLayout } from "../checkpoint/write_safetensors.ts";
import type { Plan } from "./plan_types.ts";

/** What a layout is made of. */
type Written = Pick<Plan, "tensors" | "metadata">;

/** Layouts of the plans that are there: that of ten thousand tensors takes a twentieth of a second. */
const known = new WeakMap<Written["tensors"], [Written["metadata"], SafetensorsLayout]>();

/** Header and places of all tensors that are written. */
export function planLayout({ tensors, metadata }: Written): SafetensorsLayout {
  const [of, layout] = known.get(tensors) ?? [];
  if (layout && of === metadata) return layout;
  const made = layoutSafetensors(tensors.filter(({ work }) => work), metadata);
  keepLayout({ tensors, metadata }, made);
  return made;
}

/** Keeps the layout of a plan's tensors, known already. */
export function keepLayout({ tensors, metadata }: Written, layout: SafetensorsLayout): void {
  known.set(tensors, [metadata, layout]);
}
