/**
 * A number: a slider over what is usual, and a field for what is exact.
 *
 * @module
 */
import { useState } from "preact/hooks";
import { Field } from "./field.tsx";
import { type NumberRange, rangeFault, sliderRange } from "./number_range.ts";

/** What the number is for. */
export interface NumberFieldProps extends NumberRange {
  readonly label: string;
  readonly description?: string;
  /** Undefined: the default. */
  readonly value: number | undefined;
  /** What holds where nothing is given; shown in the empty field. */
  readonly usual?: number;
  /** Whether a slider stands before the field; true if absent. */
  readonly hasSlider?: boolean;
  readonly path?: string;
  readonly fault?: string | undefined;
  onChange(value: number | undefined): void;
}

/** A number with its label. What is not a number in the range is told and not handed on. */
export function NumberField(props: NumberFieldProps) {
  const { label, description, value, usual, path, fault: told, onChange } = props;
  // What was typed, as long as it does not stand for the value.
  const [typed, setTyped] = useState<string>();
  const [fault, setFault] = useState<string>();
  const slider = props.hasSlider === false ? undefined : sliderRange(props, usual);
  const wrong = fault ?? told;
  const take = (text: string) => {
    setTyped(text);
    const trimmed = text.trim();
    const next = trimmed === "" ? undefined : Number(trimmed);
    const found = next === undefined ? undefined : rangeFault(next, props);
    setFault(found);
    if (!found) onChange(next);
  };
  return (
    <Field label={label} {...(description ? { description } : {})} fault={wrong}>
      {({ id, describedBy }) => (
        <div class="number">
          {slider && (
            <input
              type="range"
              min={slider.from}
              max={slider.to}
              step={slider.step}
              value={value ?? usual ?? slider.from}
              aria-label={`${label}, slider`}
              onInput={(event) => {
                setTyped(undefined);
                setFault(undefined);
                onChange(Number(event.currentTarget.value));
              }}
            />
          )}
          <input
            id={id}
            type="text"
            inputMode="decimal"
            autocomplete="off"
            value={typed ?? (value === undefined ? "" : String(value))}
            placeholder={usual === undefined ? undefined : String(usual)}
            data-path={path}
            aria-describedby={describedBy}
            aria-invalid={wrong ? "true" : undefined}
            onInput={(event) => take(event.currentTarget.value)}
            onBlur={() => fault === undefined && setTyped(undefined)}
          />
        </div>
      )}
    </Field>
  );
}
