/**
 * The recipe as text, JSON or YAML, to be read, changed, copied and shared.
 *
 * @module
 */
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { FileDrop } from "../../parts/file_drop.tsx";
import { ProblemNotice } from "../../parts/problem_notice.tsx";
import type { ProblemDocument } from "../../service/problem.ts";
import type { RecipeFormat } from "./recipe/check_recipe.ts";
import { type RecipeDocument, recipeOf } from "./recipe/recipe_document.ts";
import { shareable, shareText } from "./recipe/share_link.ts";

/** What is edited. */
export interface RecipeEditorProps {
  /** With its sources. */
  readonly recipe: RecipeDocument;
  /** Is given what was typed, once it can be read; answers the recipe that will then be shown. */
  onRecipe(recipe: RecipeDocument): RecipeDocument;
  /** Is given a recipe's file. */
  onFile(file: File): void;
}

const FORMATS: readonly { readonly format: RecipeFormat; readonly title: string }[] = [
  { format: "json", title: "JSON" },
  { format: "yaml", title: "YAML" },
];

/** What was typed, and the recipe that was shown meanwhile: another one comes from the controls. */
interface TypedText {
  readonly text: string;
  readonly stands: string;
}

/** The recipe as text. What cannot be read is told, and leaves the controls as they are. */
export function RecipeEditor({ recipe, onRecipe, onFile }: RecipeEditorProps) {
  const [format, setFormat] = useState<RecipeFormat>("json");
  const [written, setWritten] = useState("");
  const [typed, setTyped] = useState<TypedText>();
  const [problem, setProblem] = useState<ProblemDocument>();
  const id = useId();
  const json = JSON.stringify(recipe);
  const turn = useRef(0);
  const drop = () => {
    turn.current++;
    setTyped(undefined);
    setProblem(undefined);
  };

  useEffect(() => {
    if (typed && typed.stands !== json) drop();
    if (format === "json") return setWritten(`${JSON.stringify(recipe, null, 2)}\n`);
    let isOver = false;
    import("./recipe/check_recipe.ts").then(({ writeText }) =>
      isOver || setWritten(writeText(recipe, format))
    );
    return () => {
      isOver = true;
    };
  }, [json, format]);

  const read = async (text: string) => {
    setTyped({ text, stands: json });
    const asked = ++turn.current;
    const { readText, checkRecipe } = await import("./recipe/check_recipe.ts");
    const found = await readText(text, format);
    if (asked !== turn.current) return;
    if ("problem" in found) return setProblem(found.problem);
    const next = recipeOf(found.value);
    if (!next) return setProblem(checkRecipe(found.value));
    setProblem(undefined);
    setTyped({ text, stands: JSON.stringify(onRecipe(next)) });
  };
  const choose = (next: RecipeFormat) => {
    drop();
    setFormat(next);
  };

  return (
    <div class="recipe-editor">
      <div class="actions">
        <div role="tablist" aria-label="Form of the recipe" class="tabs">
          {FORMATS.map(({ format: each, title }) => (
            <button
              key={each}
              type="button"
              role="tab"
              id={`${id}-${each}`}
              aria-selected={each === format}
              aria-controls={`${id}-text`}
              tabIndex={each === format ? 0 : -1}
              onClick={() => choose(each)}
              onKeyDown={(event) => {
                if (event.key !== "ArrowRight" && event.key !== "ArrowLeft") return;
                const other = FORMATS.find((one) => one.format !== each);
                if (!other) return;
                choose(other.format);
                document.getElementById(`${id}-${other.format}`)?.focus();
              }}
            >
              {title}
            </button>
          ))}
        </div>
        <ShareLink recipe={recipe} />
      </div>
      <div role="tabpanel" id={`${id}-text`} aria-labelledby={`${id}-${format}`}>
        <textarea
          class="mono"
          aria-label={`Recipe as ${format.toUpperCase()}`}
          aria-invalid={problem ? "true" : undefined}
          spellcheck={false}
          rows={Math.min(24, Math.max(8, (typed?.text ?? written).split("\n").length))}
          value={typed?.text ?? written}
          onInput={(event) => read(event.currentTarget.value)}
        />
      </div>
      {problem && (
        <>
          <ProblemNotice problem={problem} />
          <p class="quiet">
            The controls still show the last recipe that could be read.{" "}
            <button type="button" class="link" onClick={drop}>Go back to it</button>
          </p>
        </>
      )}
      <FileDrop
        label="Choose a recipe"
        multiple={false}
        accept=".yaml,.yml,.json"
        onFiles={([file]) => file && onFile(file)}
      >
        or drop it here: a mergekit file works as it is.
      </FileDrop>
    </div>
  );
}

/** Puts the recipe into the address, and the address into the clipboard. */
function ShareLink({ recipe }: { readonly recipe: RecipeDocument }) {
  const [link, setLink] = useState("");
  const [note, setNote] = useState("");
  const json = JSON.stringify(recipe);
  useEffect(() => {
    setLink("");
    setNote("");
  }, [json]);
  const share = async () => {
    const { recipe: shared, withheld } = shareable(recipe);
    const url = new URL(`#/merge?${await shareText(shared)}`, location.href).href;
    history.replaceState(null, "", url);
    setLink(url);
    const left = withheld.length > 0 ? ` Left out: ${withheld.join(", ")}.` : "";
    const held = `It holds the recipe and its addresses, never what files hold.${left}`;
    try {
      await navigator.clipboard.writeText(url);
      setNote(`The link is copied. ${held}`);
    } catch {
      setNote(`Copy the link. ${held}`);
    }
  };
  return (
    <div class="share">
      <button type="button" onClick={share}>Share as a link</button>
      {link && (
        <input
          type="text"
          class="mono"
          aria-label="Link to this recipe"
          readOnly
          value={link}
          onFocus={(event) => event.currentTarget.select()}
        />
      )}
      {note && <p class="quiet" role="status">{note}</p>}
    </div>
  );
}
