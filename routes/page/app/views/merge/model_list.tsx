/**
 * The models that take part: which is the base, and what each has of its own.
 *
 * @module
 */
import { nearestNames } from "../../../../../core/merge/nearest.ts";
import { ChoiceField } from "../../parts/choice_field.tsx";
import { FileDrop } from "../../parts/file_drop.tsx";
import { originOf } from "../../sources/origin_of.ts";
import { useSources } from "../../sources/use_sources.ts";
import { type Method } from "./method_catalogue.ts";
import { ParameterControls } from "./parameter_controls.tsx";
import {
  type RecipeDocument,
  usedNames,
  withBase,
  withModel,
  withParameter,
  withRenamed,
  withStatistics,
} from "./recipe/recipe_document.ts";
import { openNames } from "./recipe/recipe_sources.ts";

/** What the list changes. */
export interface ModelListProps {
  readonly recipe: RecipeDocument;
  readonly method: Method | undefined;
  readonly faultAt: (path: string) => string | undefined;
  onChange(recipe: RecipeDocument): void;
}

/** The models. */
export function ModelList({ recipe, method, faultAt, onChange }: ModelListProps) {
  const { sources } = useSources();
  const open = openNames(recipe, sources);
  const names = [
    ...new Set([...sources.map(({ name }) => name), ...usedNames(recipe)]),
  ];
  const { base_model, models = [] } = recipe;
  const isStatistics = (name: string) =>
    models.some(({ statistics }) => statistics === name) ||
    sources.find((source) => source.name === name)?.outline?.kind === "statistics";
  const isListed = (name: string) =>
    models.some(({ model }) => model === name) || name !== base_model && !isStatistics(name);
  const rename = (name: string, next: string) => onChange(withRenamed(recipe, name, next));
  if (recipe.slices !== undefined) {
    return (
      <div class="models">
        <p class="notice">
          This recipe merges slices of layers. Edit them as text below; the rest has controls here.
        </p>
        {open.map((name) => <OpenName key={name} name={name} onRename={rename} />)}
      </div>
    );
  }
  return (
    <div class="models">
      {method?.base !== "listed" && (
        <ChoiceField
          label={method?.base === "required" ? "Base" : "Base (if there is one)"}
          description="What the models were made from."
          value={base_model ?? ""}
          choices={[
            { value: "", title: method?.base === "required" ? "Choose" : "None" },
            ...names.map((name) => ({ value: name, title: name })),
          ]}
          path="base_model"
          fault={faultAt("base_model")}
          onChange={(name) => onChange(withBase(recipe, name === "" ? undefined : name))}
        />
      )}
      {base_model !== undefined && open.includes(base_model) && (
        <OpenName name={base_model} onRename={rename} />
      )}
      <fieldset class="model-list">
        <legend>Models</legend>
        {names.filter((name) => name !== base_model).length === 0 && (
          <p class="quiet">Choose checkpoints above; they are listed here.</p>
        )}
        {names.filter((name) => isListed(name))
          .map((name) => {
            const index = models.findIndex(({ model }) => model === name);
            const path = `models[${index}]`;
            return (
              <div key={name} class={index < 0 ? "model unused" : "model"}>
                <label class="name">
                  <input
                    type="checkbox"
                    checked={index >= 0}
                    data-path={index < 0 ? undefined : `${path}.model`}
                    onChange={(event) =>
                      onChange(withModel(recipe, name, event.currentTarget.checked))}
                  />
                  <span>{name}</span>
                </label>
                {faultAt(`${path}.model`) && <p class="fault">{faultAt(`${path}.model`)}</p>}
                {index >= 0 && open.includes(name) && <OpenName name={name} onRename={rename} />}
                {index >= 0 && method && method.needs.statistics !== null && (
                  <ChoiceField
                    label="Statistics"
                    description={`Of the kind ${method.needs.statistics}, of this model's data.`}
                    value={models[index]?.statistics ?? ""}
                    choices={[
                      { value: "", title: "Choose" },
                      ...names.map((each) => ({ value: each, title: each })),
                    ]}
                    path={`${path}.statistics`}
                    fault={faultAt(`${path}.statistics`)}
                    onChange={(next) => onChange(withStatistics(recipe, index, next))}
                  />
                )}
                {index >= 0 && method && (
                  <ParameterControls
                    method={method}
                    of="model"
                    values={models[index]?.parameters ?? {}}
                    common={recipe.parameters ?? {}}
                    path={`${path}.parameters`}
                    models={models.map(({ model }) => model)}
                    faultAt={faultAt}
                    onChange={(parameter, value) =>
                      onChange(withParameter(recipe, index, parameter, value))}
                  />
                )}
              </div>
            );
          })}
      </fieldset>
    </div>
  );
}

/** A name of the recipe that nothing stands for yet. */
function OpenName(
  { name, onRename }: { readonly name: string; onRename(name: string, next: string): void },
) {
  const { add, sources } = useSources();
  const near = nearestNames(name, sources.map((source) => source.name));
  const origin = originOf(name);
  return (
    <div class="open-name" data-name={name}>
      <FileDrop
        label={`Choose the file of ${name}`}
        multiple={false}
        onFiles={([file]) => file && add({ type: "file", file }, name)}
      >
        The recipe names it, and nothing stands for it yet.
      </FileDrop>
      {near.map((next) => (
        <button
          type="button"
          class="small"
          key={next}
          onClick={() => onRename(name, next)}
        >
          Use “{next}” instead
        </button>
      ))}
      {origin && !sources.some((source) => source.name === name) && (
        <button
          type="button"
          class="small"
          onClick={() => add(origin, name)}
        >
          Read {name} {origin.type === "hub" ? "from the hub" : "from there"}
        </button>
      )}
    </div>
  );
}
