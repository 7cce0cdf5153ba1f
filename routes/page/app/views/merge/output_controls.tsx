/**
 * What is written, and what is done with what does not fit.
 *
 * @module
 */
import { ChoiceField } from "../../parts/choice_field.tsx";
import { NumberField } from "../../parts/number_field.tsx";
import { TextField } from "../../parts/text_field.tsx";
import { type RecipeDocument, withKey } from "./recipe/recipe_document.ts";

/** What the controls change. */
export interface OutputControlsProps {
  readonly recipe: RecipeDocument;
  readonly faultAt: (path: string) => string | undefined;
  onChange(recipe: RecipeDocument): void;
}

interface Option {
  readonly key: string;
  readonly label: string;
  readonly description: string;
  /** The first is what holds if none is given. */
  readonly choices: readonly (readonly [value: string, title: string])[];
}

const OPTIONS: readonly Option[] = [
  {
    key: "out_dtype",
    label: "Written as",
    description: "The element type of the result.",
    choices: [
      ["", "Each tensor's own type"],
      ["float32", "float32"],
      ["bfloat16", "bfloat16"],
      ["float16", "float16"],
    ],
  },
  {
    key: "mismatch",
    label: "Shapes that differ",
    description: "What becomes of a tensor whose shapes differ.",
    choices: [["error", "Refuse"], ["base", "Take the base's"], ["skip", "Leave it out"]],
  },
  {
    key: "missing",
    label: "Missing tensors",
    description: "What becomes of a model that lacks a tensor.",
    choices: [["error", "Refuse"], ["drop", "Go on without it"], ["base", "Take the base's"]],
  },
  {
    key: "extra",
    label: "Surplus tensors",
    description: "What becomes of a tensor that the base lacks.",
    choices: [["error", "Refuse"], ["copy", "Copy"], ["omit", "Leave out"]],
  },
  {
    key: "non_finite",
    label: "NaN and infinity",
    description: "What is done where an input is not finite.",
    choices: [["error", "Refuse"], ["base", "Take the base's"], ["propagate", "Let them through"]],
  },
];

/** The controls; they are folded until they are wanted. */
export function OutputControls({ recipe, faultAt, onChange }: OutputControlsProps) {
  const output = mapOf(recipe.output);
  const tensors = mapOf(recipe.tensors);
  const set = (key: "output" | "tensors", name: string, value: unknown) => {
    const { [name]: _, ...rest } = key === "output" ? output : tensors;
    const next = value === undefined ? rest : { ...rest, [name]: value };
    onChange(withKey(recipe, key, Object.keys(next).length === 0 ? undefined : next));
  };
  const setOutput = (name: string, value: unknown) => set("output", name, value);
  const setTensors = (name: string, value: unknown) => set("tensors", name, value);
  return (
    <details class="output">
      <summary>Output, seed, and what does not fit</summary>
      <div class="parameters">
        <TextField
          label="Name"
          description="Of the file."
          value={typeof recipe.name === "string" ? recipe.name : ""}
          placeholder={`merged-${recipe.merge_method}`}
          path="name"
          fault={faultAt("name")}
          onChange={(name) => onChange(withKey(recipe, "name", name === "" ? undefined : name))}
        />
        <NumberField
          label="Seed"
          description="The same seed gives the same bytes."
          integer
          minimum={0}
          maximum={Number.MAX_SAFE_INTEGER}
          hasSlider={false}
          value={typeof recipe.seed === "number" ? recipe.seed : undefined}
          usual={0}
          path="seed"
          fault={faultAt("seed")}
          onChange={(seed) => onChange(withKey(recipe, "seed", seed))}
        />
        <ChoiceField
          label="Form"
          description="An ONNX model needs a base that is one; PEFT is for adapters."
          value={typeof output.format === "string" ? output.format : "safetensors"}
          choices={[
            { value: "safetensors", title: "safetensors" },
            { value: "onnx", title: "ONNX model" },
            { value: "peft", title: "PEFT adapter" },
          ]}
          path="output.format"
          fault={faultAt("output.format")}
          onChange={(format) => setOutput("format", format === "safetensors" ? undefined : format)}
        />
        <TextField
          label="Bytes of a shard"
          description="Such as 5GB; the shards come as one zip file."
          value={output.shard_size === undefined ? "" : String(output.shard_size)}
          placeholder="One file"
          path="output.shard_size"
          fault={faultAt("output.shard_size")}
          onChange={(size) => setOutput("shard_size", size.trim() === "" ? undefined : size.trim())}
        />
        <TextField
          label="Only tensors"
          description="Globs such as model.layers.*, with commas between them."
          value={listText(tensors.include)}
          placeholder="All"
          path="tensors.include"
          fault={faultAt("tensors.include")}
          onChange={(text) => setTensors("include", listOf(text))}
        />
        <TextField
          label="Except tensors"
          description="Globs such as *.bias."
          value={listText(tensors.exclude)}
          placeholder="None"
          path="tensors.exclude"
          fault={faultAt("tensors.exclude")}
          onChange={(text) => setTensors("exclude", listOf(text))}
        />
        <ChoiceField
          label="What other tensors get"
          description="Those that are not selected above."
          value={typeof tensors.otherwise === "string" ? tensors.otherwise : "base"}
          choices={[
            { value: "base", title: "The base's" },
            { value: "first", title: "The first model's" },
            { value: "omit", title: "Nothing" },
          ]}
          path="tensors.otherwise"
          fault={faultAt("tensors.otherwise")}
          onChange={(next) => setTensors("otherwise", next === "base" ? undefined : next)}
        />
        {OPTIONS.map(({ key, label, description, choices }) => {
          const usual = choices[0]?.[0] ?? "";
          const value = typeof recipe[key] === "string" ? recipe[key] : usual;
          const stray = choices.every(([each]) => each !== value) ? [[value, value] as const] : [];
          return (
            <ChoiceField
              key={key}
              label={label}
              description={description}
              value={value}
              choices={[...choices, ...stray].map(([value, title]) => ({ value, title }))}
              path={key}
              fault={faultAt(key)}
              onChange={(next) => onChange(withKey(recipe, key, next === usual ? undefined : next))}
            />
          );
        })}
      </div>
    </details>
  );
}

function mapOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : {};
}

function listText(value: unknown): string {
  return Array.isArray(value) ? value.join(", ") : "";
}

/** Items as they are typed: the one behind the last comma may still be empty. */
function listOf(text: string): string[] | undefined {
  return text.trim() === "" ? undefined : text.split(",").map((item) => item.trimStart());
}
