/**
 * Something that is on or off.
 *
 * @module
 */
import { useId } from "preact/hooks";

/** What is switched. */
export interface SwitchFieldProps {
  readonly label: string;
  readonly description?: string;
  readonly value: boolean;
  readonly path?: string;
  onChange(value: boolean): void;
}

/** A box to tick, with its label behind it. */
export function SwitchField({ label, description, value, path, onChange }: SwitchFieldProps) {
  const about = useId();
  return (
    <div class="field switch">
      <label>
        <input
          type="checkbox"
          checked={value}
          data-path={path}
          aria-describedby={description ? about : undefined}
          onChange={(event) => onChange(event.currentTarget.checked)}
        />
        {label}
      </label>
      {description && <p id={about} class="quiet">{description}</p>}
    </div>
  );
}
