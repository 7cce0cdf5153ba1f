/**
 * The parameters of a method as controls.
 *
 * @module
 */
import { ChoiceField } from "../../parts/choice_field.tsx";
import { SwitchField } from "../../parts/switch_field.tsx";
import { TextField } from "../../parts/text_field.tsx";
import type { Method, ParameterSchema } from "./method_catalogue.ts";
import type { ParameterMap } from "./recipe/recipe_document.ts";
import { SettingField } from "./setting_field.tsx";

/** Which parameters are shown. */
export interface ParameterControlsProps {
  readonly method: Method;
  /** `model`: those that a model may have of its own. `all`: those of all models and of the merge. */
  readonly of: "model" | "all";
  readonly values: ParameterMap;
  /** What holds for all models, where these are one model's. */
  readonly common?: ParameterMap;
  /** Path of the map in the recipe. */
  readonly path: string;
  /** Names of the models that take part, for parameters that name one. */
  readonly models: readonly string[];
  readonly faultAt: (path: string) => string | undefined;
  onChange(name: string, value: unknown): void;
}

/** The controls. */
export function ParameterControls(props: ParameterControlsProps) {
  const { method, of, values, common, path, models, faultAt, onChange } = props;
  const shown = Object.entries(method.parameters)
    .filter(([, { scope }]) => of === "all" || scope === "model");
  if (shown.length === 0) return null;
  return (
    <div class="parameters">
      {shown.map(([name, schema]) => (
        <ParameterControl
          key={`${method.name} ${name}`}
          name={name}
          schema={schema}
          label={of === "all" && schema.scope === "model" ? `${name} of every model` : name}
          showsAbout={of === "all"}
          value={values[name]}
          usual={common?.[name] ?? schema.default}
          path={`${path}.${name}`}
          models={models}
          fault={faultAt(`${path}.${name}`)}
          onChange={(value) => onChange(name, value)}
        />
      ))}
    </div>
  );
}

interface ParameterControlProps {
  readonly name: string;
  readonly schema: ParameterSchema;
  readonly label: string;
  readonly showsAbout: boolean;
  readonly value: unknown;
  readonly usual: unknown;
  readonly path: string;
  readonly models: readonly string[];
  readonly fault: string | undefined;
  onChange(value: unknown): void;
}

function ParameterControl(props: ParameterControlProps) {
  const { name, schema, label, showsAbout, value, usual, path, models, fault, onChange } = props;
  const description = showsAbout ? schema.description : undefined;
  const about = description ? { description } : {};
  if (schema.type === "number" || schema.type === "integer") {
    return <SettingField {...props} {...about} />;
  }
  if (schema.type === "boolean" && (value === undefined || typeof value === "boolean")) {
    return (
      <SwitchField
        label={label}
        {...about}
        value={value ?? usual === true}
        path={path}
        onChange={(next) => onChange(next === usual ? undefined : next)}
      />
    );
  }
  if (schema.type === "string" && (value === undefined || typeof value === "string")) {
    const names = schema.enum ?? models;
    const unset = schema.enum
      ? schema.default === undefined ? [{ value: "", title: "Choose" }] : []
      : [{ value: "", title: "None" }];
    const stray = value !== undefined && value !== "" && !names.includes(value) ? [value] : [];
    return (
      <ChoiceField
        label={label}
        {...about}
        value={value ?? (typeof usual === "string" ? usual : "")}
        choices={[
          ...unset,
          ...[...names, ...stray].map((each) => ({
            value: each,
            title: each.replaceAll("_", " "),
          })),
        ]}
        path={path}
        fault={fault}
        onChange={(next) => onChange(next === "" || next === usual ? undefined : next)}
      />
    );
  }
  if (schema.type === "array") {
    const list = Array.isArray(value) ? value : value === undefined ? [] : [value];
    return (
      <TextField
        label={label}
        description={[description, "Parts of names, with commas between them."]
          .filter(Boolean).join(" ")}
        value={list.map(String).join(", ")}
        path={path}
        fault={fault}
        onChange={(text) => {
          const items = text.split(",").map((item) => item.trimStart());
          onChange(text.trim() === "" ? undefined : items);
        }}
      />
    );
  }
  return <SettingField {...props} {...about} name={name} />;
}
