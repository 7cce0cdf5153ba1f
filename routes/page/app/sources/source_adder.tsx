/**
 * Where checkpoints are added: dropped, by an address, or from what is kept.
 *
 * @module
 */
import { useEffect, useState } from "preact/hooks";
import { FileDrop } from "../parts/file_drop.tsx";
import { countOf, formatBytes } from "../parts/format_bytes.ts";
import { ProblemNotice } from "../parts/problem_notice.tsx";
import { TextField } from "../parts/text_field.tsx";
import { type ProblemDocument, ProblemError } from "../service/problem.ts";
import { useSession } from "../session.tsx";
import { originOf } from "./origin_of.ts";
import { useSources } from "./use_sources.ts";

/** What the view does with what is no checkpoint. */
export interface SourceAdderProps {
  /** Is given dropped recipes; without it they are refused in words. */
  readonly onRecipe?: (file: File) => void;
}

/** Where checkpoints are added. */
export function SourceAdder({ onRecipe }: SourceAdderProps) {
  const { addFiles } = useSources();
  const [note, setNote] = useState("");
  const onFiles = (files: readonly File[]) => {
    const { recipes, configs } = addFiles(files);
    const [recipe] = recipes;
    if (recipe && onRecipe) onRecipe(recipe);
    const unused = [...(onRecipe ? recipes.slice(1) : recipes), ...configs];
    setNote(
      unused.length === 0
        ? ""
        : `Not used: ${unused.map(({ name }) => name).join(", ")}. A configuration is used if it ` +
          "comes with its adapter.",
    );
  };
  return (
    <div class="adder">
      <FileDrop label="Choose checkpoints" onFiles={onFiles}>
        or drop them here, folders too: safetensors, ONNX, adapters with their adapter_config.json
        {onRecipe ? ", or a recipe" : ""}. Only headers are read until you merge.
      </FileDrop>
      {note && <p class="quiet" role="status">{note}</p>}
      <details>
        <summary>By address, or from what is kept</summary>
        <ByAddress />
      </details>
    </div>
  );
}

/** A form for an address, and a list of what is kept. */
export function ByAddress() {
  const { add } = useSources();
  const [address, setAddress] = useState("");
  const [fault, setFault] = useState<string>();
  return (
    <div class="by-address">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          const origin = originOf(address);
          if (!origin) {
            return setFault(
              "Must be a URL, a repository such as org/name, or an id such as sha256:…: " +
                `current value is ${address || "empty"}`,
            );
          }
          add(origin);
          setAddress("");
          setFault(undefined);
        }}
      >
        <TextField
          label="Address"
          description="A URL, a repository of the hub (org/name, org/name@revision), or an id. It is read where work is done."
          value={address}
          inputMode="url"
          fault={fault}
          onChange={setAddress}
        />
        <button type="submit">Add</button>
      </form>
      <Kept />
    </div>
  );
}

/** What of `GET /checkpoints` is used. */
interface KeptCheckpoint {
  readonly id: string;
  readonly bytes: number;
  readonly kind: string;
  readonly tensors: number;
  readonly created?: string;
}

function Kept() {
  const { send, place } = useSession();
  const { add } = useSources();
  const [kept, setKept] = useState<readonly KeptCheckpoint[]>();
  const [problem, setProblem] = useState<ProblemDocument>();
  const load = async () => {
    setProblem(undefined);
    try {
      const answer = await send({ method: "GET", path: "/checkpoints" });
      setKept((await answer.json() as { checkpoints: KeptCheckpoint[] }).checkpoints);
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      setProblem(error.problem);
    }
  };
  useEffect(() => setKept(undefined), [place]);
  return (
    <div>
      <button type="button" onClick={load}>
        Show what {place === "service" ? "the service" : "this browser"} keeps
      </button>
      {problem && <ProblemNotice problem={problem} />}
      {kept && kept.length === 0 && <p class="quiet" role="status">Nothing is kept.</p>}
      {kept && kept.length > 0 && (
        <ul class="kept">
          {kept.map(({ id, bytes, kind, tensors, created }) => (
            <li key={id}>
              <button type="button" class="small" onClick={() => add({ type: "checkpoint", id })}>
                Add <span class="mono">{id.slice(7, 19)}</span>
              </button>
              <span class="quiet">
                {[
                  kind.replace("_", " "),
                  countOf(tensors, "tensor"),
                  formatBytes(bytes),
                  created?.slice(0, 10),
                ].filter(Boolean).join(" · ")}
              </span>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
