/**
 * Controls of values in a draft, by their paths.
 *
 * @module
 */
import { type Choice, ChoiceField } from "../../parts/choice_field.tsx";
import { NumberField } from "../../parts/number_field.tsx";
import type { NumberRange } from "../../parts/number_range.ts";
import { SwitchField } from "../../parts/switch_field.tsx";
import { TextField } from "../../parts/text_field.tsx";
import { type Draft, numberAt, textAt, valueAt, withValue } from "./draft.ts";

/** The draft and what changes it. */
export interface Drafting {
  readonly draft: Draft;
  onDraft(next: Draft): void;
}

interface At extends Drafting {
  readonly path: string;
  readonly label: string;
  readonly description?: string;
}

/** A number. */
export function NumberAt(
  { draft, onDraft, usual, ...rest }: At & NumberRange & { readonly usual?: number },
) {
  return (
    <NumberField
      {...rest}
      {...(usual === undefined ? {} : { usual })}
      value={numberAt(draft, rest.path)}
      onChange={(value) => onDraft(withValue(draft, rest.path, value))}
    />
  );
}

/** A text; an empty one is taken away. */
export function TextAt({ draft, onDraft, ...rest }: At) {
  return (
    <TextField
      {...rest}
      value={textAt(draft, rest.path)}
      onChange={(value) => onDraft(withValue(draft, rest.path, value === "" ? undefined : value))}
    />
  );
}

/** One of several texts; the empty one is taken away. */
export function ChoiceAt({ draft, onDraft, choices, ...rest }: At & {
  readonly choices: readonly Choice[];
}) {
  const value = textAt(draft, rest.path);
  const known = choices.some((choice) => choice.value === value);
  return (
    <ChoiceField
      {...rest}
      value={value}
      // What the document says is shown although nobody offers it.
      choices={known ? choices : [{ value, title: value || "Choose" }, ...choices]}
      onChange={(next) => onDraft(withValue(draft, rest.path, next === "" ? undefined : next))}
    />
  );
}

/** On or off. */
export function SwitchAt({ draft, onDraft, usual, ...rest }: At & { readonly usual: boolean }) {
  const value = valueAt(draft, rest.path);
  return (
    <SwitchField
      {...rest}
      value={typeof value === "boolean" ? value : usual}
      onChange={(next) => onDraft(withValue(draft, rest.path, next === usual ? undefined : next))}
    />
  );
}
