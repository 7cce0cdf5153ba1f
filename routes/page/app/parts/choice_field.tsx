/**
 * One of several values.
 *
 * @module
 */
import { Field } from "./field.tsx";

/** One value to choose. */
export interface Choice {
  readonly value: string;
  readonly title: string;
}

/** What is chosen. */
export interface ChoiceFieldProps {
  readonly label: string;
  readonly description?: string;
  readonly value: string;
  readonly choices: readonly Choice[];
  readonly fault?: string | undefined;
  readonly path?: string;
  onChange(value: string): void;
}

/** A menu with its label. */
export function ChoiceField(
  { label, description, value, choices, fault, path, onChange }: ChoiceFieldProps,
) {
  return (
    <Field label={label} {...(description ? { description } : {})} fault={fault}>
      {({ id, describedBy }) => (
        <select
          id={id}
          value={value}
          data-path={path}
          aria-describedby={describedBy}
          aria-invalid={fault ? "true" : undefined}
          onChange={(event) => onChange(event.currentTarget.value)}
        >
          {choices.map((choice) => (
            <option key={choice.value} value={choice.value}>{choice.title}</option>
          ))}
        </select>
      )}
    </Field>
  );
}
