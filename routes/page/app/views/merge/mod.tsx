/**
 * The view "merge": checkpoints, a method with its parameters, the recipe, the plan, the run.
 *
 * @module
 */
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { PlanDocument } from "../../../../../core/merge/plan_document.ts";
import { focusPath } from "../../parts/focus_path.ts";
import { ProblemNotice } from "../../parts/problem_notice.tsx";
import type { Suggestion } from "../../parts/problem_words.ts";
import { type ProblemDocument, ProblemError } from "../../service/problem.ts";
import { useSession } from "../../session.tsx";
import { SourceAdder } from "../../sources/source_adder.tsx";
import { SourceList } from "../../sources/source_list.tsx";
import { useSources } from "../../sources/use_sources.ts";
import { baseFault, countFault, withMethod, withNewSources } from "./method_catalogue.ts";
import { MethodChoice } from "./method_choice.tsx";
import { ModelList } from "./model_list.tsx";
import { OutputControls } from "./output_controls.tsx";
import { ParameterControls } from "./parameter_controls.tsx";
import { canPlanHere, makePlan } from "./plan/make_plan.ts";
import { PlanView } from "./plan/plan_view.tsx";
import { fixedRecipe } from "./recipe/fix_recipe.ts";
import {
  EMPTY_RECIPE,
  type RecipeDocument,
  recipeOf,
  withoutName,
  withParameter,
  withRenamed,
} from "./recipe/recipe_document.ts";
import { openNames, splitSources, withSources } from "./recipe/recipe_sources.ts";
import { readShareText } from "./recipe/share_link.ts";
import { RecipeEditor } from "./recipe_editor.tsx";
import { RunPanel } from "./run/run_panel.tsx";
import { useCatalogue } from "./use_catalogue.ts";
import { useCheck } from "./use_check.ts";

/** A plan, and the recipe that it is of. */
interface Planned {
  readonly of: string;
  readonly plan?: PlanDocument;
  readonly isHere?: boolean;
  readonly problem?: ProblemDocument;
}

/** Rest after which an address in a recipe is asked for. */
const TYPING_MS = 800;

/** The view. */
export function MergeView() {
  const { send, place } = useSession();
  const { sources, add } = useSources();
  const { methods, problem: noCatalogue, reload } = useCatalogue();
  const [recipe, setRecipe] = useState<RecipeDocument>(EMPTY_RECIPE);
  const [fileProblem, setFileProblem] = useState<ProblemDocument>();
  const [planned, setPlanned] = useState<Planned>();
  const [isPlanning, setIsPlanning] = useState(false);
  const method = methods.find(({ name }) => name === recipe.merge_method);
  const whole = useMemo(() => withSources(recipe, sources), [recipe, sources]);
  const text = JSON.stringify(whole);
  const isBegun = recipe.slices !== undefined || (recipe.models?.length ?? 0) > 0 ||
    recipe.base_model !== undefined;
  const check = useCheck(whole, isBegun);
  const open = openNames(recipe, sources);
  const isWeights = (name: string) =>
    sources.find((source) => source.name === name)?.outline?.kind === "weights";
  const count = isBegun && method
    ? baseFault(method, recipe, isWeights) ?? countFault(method, recipe)
    : undefined;

  const faults = new Map(
    [...planned?.of === text ? planned.problem?.errors ?? [] : [], ...check?.errors ?? []]
      .map(({ path, message }) => [path, message]),
  );
  const faultAt = (path: string) => faults.get(path);

  // Sources that were just named become models; those that were removed are none any more.
  const known = useRef<readonly string[]>([]);
  useEffect(() => {
    const names = sources.map(({ name }) => name);
    const fresh = names.filter((name) => !known.current.includes(name));
    const gone = known.current.filter((name) => !names.includes(name));
    known.current = names;
    if (fresh.length === 0 && gone.length === 0) return;
    setRecipe((before) => withNewSources(gone.reduce(withoutName, before), method, fresh));
  }, [sources, method]);

  // Statistics go with a model and are none.
  const statistics = sources.filter(({ outline }) => outline?.kind === "statistics")
    .map(({ name }) => name).join("\n");
  useEffect(() => {
    if (statistics !== "") {
      setRecipe((before) => statistics.split("\n").reduce(withoutName, before));
    }
  }, [statistics]);

  /** Takes a whole recipe: what its sources name is named here too. */
  const take = (next: RecipeDocument): RecipeDocument => {
    const { recipe: own, origins } = splitSources(next);
    const changed = origins.filter(({ name, origin }) => {
      const before = sources.find((source) => source.name === name);
      return JSON.stringify(before?.origin) !== JSON.stringify(origin);
    });
    for (const { name, origin } of changed) add(origin, name, TYPING_MS);
    setRecipe(own);
    return withSources(own, [
      ...sources.filter(({ name }) => !changed.some((source) => source.name === name)),
      ...changed,
    ]);
  };

  const takeFile = async (file: File) => {
    const { readText, checkRecipe } = await import("./recipe/check_recipe.ts");
    const found = await readText(await file.text(), /\.json$/i.test(file.name) ? "json" : "yaml");
    if ("problem" in found) return setFileProblem(found.problem);
    const next = recipeOf(found.value);
    setFileProblem(next ? undefined : checkRecipe(found.value));
    if (next) take(next);
  };

  useEffect(() => {
    const load = async () => {
      if (!/^#\/merge\?/.test(location.hash)) return;
      const next = recipeOf(await readShareText(location.hash));
      if (next) take(next);
    };
    load();
    addEventListener("hashchange", load);
    return () => removeEventListener("hashchange", load);
  }, []);

  const onFix = (suggestion: Suggestion) => {
    const next = recipeOf(fixedRecipe(recipe, suggestion));
    if (next) setRecipe(next);
  };
  const onPlace = (path: string) => {
    if (!focusPath(path)) document.querySelector<HTMLElement>(".recipe-editor textarea")?.focus();
  };

  const plan = async () => {
    setIsPlanning(true);
    const isHere = place === "service" && canPlanHere(whole, sources);
    try {
      const { signal } = new AbortController();
      const found = await makePlan({ recipe: whole, sources, place, send, signal });
      setPlanned({ of: text, plan: found, isHere });
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      setPlanned({ of: text, problem: error.problem });
    } finally {
      setIsPlanning(false);
    }
  };

  const models = (recipe.models ?? []).map(({ model }) => model);
  return (
    <>
      <h1>Merge</h1>
      {noCatalogue && <ProblemNotice problem={noCatalogue} onRetry={reload} />}
      <div class="merge">
        <div class="panel">
          <h2>Checkpoints</h2>
          <SourceAdder onRecipe={takeFile} />
          {fileProblem && <ProblemNotice problem={fileProblem} />}
          <SourceList
            onRename={(name, next) => {
              known.current = known.current.map((each) => each === name ? next : each);
              setRecipe((before) => withRenamed(before, name, next));
            }}
          />
        </div>
        <div class="panel method-panel">
          <h2>Method and models</h2>
          {methods.length > 0 && (
            <MethodChoice
              methods={methods}
              name={recipe.merge_method}
              fault={faultAt("merge_method")}
              onChange={(next) => setRecipe(withMethod(recipe, next))}
            />
          )}
          <ModelList recipe={recipe} method={method} faultAt={faultAt} onChange={setRecipe} />
          {count && <p class="fault" role="status">{count}</p>}
          {method && (
            <fieldset class="all-models">
              <legend>Parameters of {method.name}</legend>
              <ParameterControls
                method={method}
                of="all"
                values={recipe.parameters ?? {}}
                path="parameters"
                models={models}
                faultAt={faultAt}
                onChange={(name, value) =>
                  setRecipe((before) => withParameter(before, undefined, name, value))}
              />
              {Object.keys(method.parameters).length === 0 && (
                <p class="quiet">It has no parameters.</p>
              )}
            </fieldset>
          )}
          <OutputControls recipe={recipe} faultAt={faultAt} onChange={setRecipe} />
        </div>
        <div class="panel">
          <h2>Recipe</h2>
          <RecipeEditor recipe={whole} onRecipe={take} onFile={takeFile} />
          {check && open.length === 0 && (
            <ProblemNotice problem={check} onFix={onFix} onPlace={onPlace} />
          )}
        </div>
        <div class="panel wide">
          <h2>Plan and merge</h2>
          {open.length > 0 && (
            <p class="notice" role="status">
              Nothing stands for {open.map((name) => `“${name}”`).join(", ")}{" "}
              yet: choose files above.
            </p>
          )}
          <p class="actions">
            <button type="button" disabled={!isBegun || isPlanning} onClick={plan}>
              {isPlanning ? "Planning…" : "Show the plan"}
            </button>
          </p>
          {planned?.problem && planned.of === text && (
            <ProblemNotice problem={planned.problem} onFix={onFix} onPlace={onPlace} />
          )}
          {planned?.plan && (
            <>
              {planned.of !== text && (
                <p class="notice" role="status">The recipe has changed since this plan.</p>
              )}
              <PlanView plan={planned.plan} isHere={planned.isHere === true} />
            </>
          )}
          <RunPanel
            recipe={whole}
            isReady={isBegun}
            onFix={onFix}
            onPlace={onPlace}
          />
        </div>
      </div>
    </>
  );
}
