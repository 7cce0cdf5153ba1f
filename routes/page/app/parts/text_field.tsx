/**
 * A line of text.
 *
 * @module
 */
import { Field } from "./field.tsx";

/** What the field is for. */
export interface TextFieldProps {
  readonly label: string;
  readonly description?: string;
  readonly value: string;
  readonly placeholder?: string;
  readonly fault?: string | undefined;
  readonly inputMode?: "text" | "url";
  /** Where the value stands in a document; a problem's path leads here. */
  readonly path?: string;
  onChange(value: string): void;
}

/** A line of text with its label. */
export function TextField(
  { label, description, value, placeholder, fault, inputMode = "text", path, onChange }:
    TextFieldProps,
) {
  return (
    <Field label={label} {...(description ? { description } : {})} fault={fault}>
      {({ id, describedBy }) => (
        <input
          id={id}
          type="text"
          inputMode={inputMode}
          value={value}
          placeholder={placeholder}
          spellcheck={false}
          autocomplete="off"
          data-path={path}
          aria-describedby={describedBy}
          aria-invalid={fault ? "true" : undefined}
          onInput={(event) => onChange(event.currentTarget.value)}
        />
      )}
    </Field>
  );
}
