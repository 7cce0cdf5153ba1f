/**
 * A control with its label, a line of explanation, and what is wrong with it.
 *
 * @module
 */
import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";

/** What the control inside must carry. */
export interface FieldIds {
  readonly id: string;
  /** For `aria-describedby`. */
  readonly describedBy: string | undefined;
}

/** What stands around a control. */
export interface FieldProps {
  readonly label: string;
  readonly description?: string;
  /** What is wrong with the value; nothing if absent. */
  readonly fault?: string | undefined;
  readonly children: (ids: FieldIds) => ComponentChildren;
}

/** A control with its label. */
export function Field({ label, description, fault, children }: FieldProps) {
  const id = useId();
  const about = `${id}-about`;
  const wrong = `${id}-fault`;
  const ids = [description && about, fault && wrong].filter(Boolean).join(" ");
  return (
    <div class={fault ? "field wrong" : "field"}>
      <label for={id}>{label}</label>
      {children({ id, describedBy: ids === "" ? undefined : ids })}
      {description && <p id={about} class="quiet">{description}</p>}
      {fault && <p id={wrong} class="fault">{fault}</p>}
    </div>
  );
}
