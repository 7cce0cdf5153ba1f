/**
 * The named sources with what is in them.
 *
 * @module
 */
import { useState } from "preact/hooks";
import { joinPath } from "../../../../core/merge/faults.ts";
import { FileDrop } from "../parts/file_drop.tsx";
import { countOf, formatBytes } from "../parts/format_bytes.ts";
import { ProblemNotice } from "../parts/problem_notice.tsx";
import { tensorElements } from "../parts/tensor_bytes.ts";
import { TensorTree } from "../parts/tensor_tree.tsx";
import { type NamedSource, type Outline, placeOf } from "./named_source.ts";
import { useSources } from "./use_sources.ts";

/** Which sources, and what a view is told of them. */
export interface SourceListProps {
  /** Is told of a new name, so that documents follow. */
  readonly onRename?: (name: string, next: string) => void;
}

/** The named sources. */
export function SourceList({ onRename }: SourceListProps) {
  const { sources, rename } = useSources();
  if (sources.length === 0) return null;
  return (
    <ul class="sources" aria-label="Named checkpoints">
      {sources.map((source) => (
        <li key={source.name}>
          <SourceCard
            source={source}
            onRename={(next) => {
              if (sources.some(({ name }) => name === next)) return false;
              rename(source.name, next);
              onRename?.(source.name, next);
              return true;
            }}
          />
        </li>
      ))}
    </ul>
  );
}

interface SourceCardProps {
  readonly source: NamedSource;
  /** Answers whether the name was free. */
  onRename(next: string): boolean;
}

function SourceCard({ source, onRename }: SourceCardProps) {
  const { remove, setConfig } = useSources();
  const [open, setOpen] = useState(false);
  const { name, origin, outline, fault } = source;
  const needsConfig = outline?.kind === "adapter" && origin.type === "file" && !origin.config &&
    outline.metadata?.adapter_config === undefined;
  return (
    <div class="source">
      <div class="line">
        <SourceName name={name} onRename={onRename} />
        <span class="quiet place" title={placeOf(source)}>{placeOf(source)}</span>
        <button
          type="button"
          class="small"
          aria-label={`Remove ${name}`}
          onClick={() => remove(name)}
        >
          Remove
        </button>
      </div>
      {outline && <p class="quiet numbers">{factsOf(outline).join(" · ")}</p>}
      {!outline && !fault && <p class="quiet" role="status">Reading the header…</p>}
      {fault && <ProblemNotice problem={fault} />}
      {outline && origin.type === "file" && origin.beside && (
        <p class="notice">
          A sharded checkpoint is merged from its address, the hub or the operator's folder, and
          cannot be uploaded: its tensors are only shown here.
        </p>
      )}
      {needsConfig && (
        <FileDrop
          label={`Choose adapter_config.json of ${name}`}
          multiple={false}
          accept=".json"
          onFiles={([config]) => config && setConfig(name, config)}
        >
          An adapter is used with its configuration.
        </FileDrop>
      )}
      {outline && outline.tensors.length > 0 && (
        <details onToggle={(event) => setOpen(event.currentTarget.open)}>
          <summary>Tensors</summary>
          {open && <TensorTree label={`Tensors of ${name}`} tensors={outline.tensors} />}
        </details>
      )}
    </div>
  );
}

/** The name, to be typed over; it is taken when the field is left. */
function SourceName(
  { name, onRename }: { readonly name: string; onRename(next: string): boolean },
) {
  const [typed, setTyped] = useState<string>();
  const [fault, setFault] = useState<string>();
  const take = () => {
    const next = typed?.trim() ?? name;
    setTyped(undefined);
    const isFree = next === name || next === "" || onRename(next);
    setFault(isFree ? undefined : `Must be a name of its own: current value is ${next}`);
  };
  return (
    <span class="source-name">
      <input
        type="text"
        aria-label={`Name of ${name}`}
        aria-invalid={fault ? "true" : undefined}
        value={typed ?? name}
        spellcheck={false}
        autocomplete="off"
        maxLength={200}
        data-path={joinPath("sources", name)}
        onInput={(event) => setTyped(event.currentTarget.value)}
        onBlur={take}
        onKeyDown={(event) => {
          if (event.key === "Enter") take();
          if (event.key === "Escape") setTyped(undefined);
        }}
      />
      {fault && <span class="fault" role="alert">{fault}</span>}
    </span>
  );
}

function factsOf({ kind, bytes, tensors }: Outline): string[] {
  const parameters = tensors.reduce((sum, tensor) => sum + tensorElements(tensor), 0);
  const types = [...new Set(tensors.map(({ dtype }) => dtype))];
  return [
    kind.replace("_", " "),
    countOf(tensors.length, "tensor"),
    countOf(parameters, "parameter"),
    formatBytes(bytes),
    types.slice(0, 4).join(", ") + (types.length > 4 ? ", …" : ""),
  ];
}
