/**
 * A number of a recipe: one for all tensors by slider and field, or such by layer and name as text.
 *
 * @module
 */
import { useState } from "preact/hooks";
import { NumberField } from "../../parts/number_field.tsx";
import { TextField } from "../../parts/text_field.tsx";
import type { ParameterSchema } from "./method_catalogue.ts";
import { readSetting, settingText } from "./recipe/setting_text.ts";

/** What the field is for. */
export interface SettingFieldProps {
  readonly name: string;
  readonly label: string;
  readonly description?: string;
  readonly schema: ParameterSchema;
  readonly value: unknown;
  /** What holds if nothing is given here. */
  readonly usual: unknown;
  readonly path: string;
  readonly fault: string | undefined;
  onChange(value: unknown): void;
}

/** A number, or numbers by layer and name. */
export function SettingField(props: SettingFieldProps) {
  const { name, label, description, schema, value, usual, path, fault, onChange } = props;
  const isNumber = value === undefined || typeof value === "number";
  const [byName, setByName] = useState(false);
  const [typed, setTyped] = useState<string>();
  const [wrong, setWrong] = useState<string>();
  const isText = byName || !isNumber;
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, type } = schema;
  return (
    <div class="setting">
      {isText
        ? (
          <TextField
            label={label}
            description="By layer: 0.2, 0.8. By name: mlp: 0.2, 0.8; attn: 0.5; 0.4."
            value={typed ?? settingText(value)}
            placeholder={settingText(usual)}
            path={path}
            fault={wrong ?? fault}
            onChange={(text) => {
              setTyped(text);
              const read = readSetting(text);
              setWrong("fault" in read ? read.fault : undefined);
              if ("setting" in read) onChange(read.setting);
            }}
          />
        )
        : (
          <NumberField
            label={label}
            {...(description ? { description } : {})}
            value={value as number | undefined}
            {...(typeof usual === "number" ? { usual } : {})}
            path={path}
            fault={fault}
            {...(minimum === undefined ? {} : { minimum })}
            {...(maximum === undefined ? {} : { maximum })}
            {...(exclusiveMinimum === undefined ? {} : { exclusiveMinimum })}
            {...(exclusiveMaximum === undefined ? {} : { exclusiveMaximum })}
            integer={type === "integer"}
            onChange={onChange}
          />
        )}
      <button
        type="button"
        class="link small"
        aria-label={isText ? `One ${name} for all tensors` : `${name} by layer or name`}
        onClick={() => {
          setTyped(undefined);
          setWrong(undefined);
          setByName(!isText);
          if (isText && !isNumber) onChange(undefined);
        }}
      >
        {isText ? "One for all tensors" : "By layer or name"}
      </button>
    </div>
  );
}
