/**
 * One kept checkpoint: what it is, what is in it, and what can be done with it.
 *
 * @module
 */
import { useState } from "preact/hooks";
import { countOf, formatBytes } from "../../parts/format_bytes.ts";
import { ProblemNotice } from "../../parts/problem_notice.tsx";
import { TensorTree } from "../../parts/tensor_tree.tsx";
import type { Place } from "../../service/service.ts";
import { useSession } from "../../session.tsx";
import { inspect } from "../../sources/inspect.ts";
import type { Inspected } from "../../sources/read_header.ts";
import { type KeptCheckpoint, otherPlace, PLACE_NAMES, shortId } from "./kept_checkpoint.ts";

/** What the row shows. */
export interface KeptRowProps {
  readonly place: Place;
  readonly kept: KeptCheckpoint;
  /** Whether something is being done, and nothing else may begin. */
  readonly disabled: boolean;
  onUse(): void;
  onDownload(): void;
  onCopy(): void;
  onDelete(): void;
}

/** One kept checkpoint. */
export function KeptRow(
  { place, kept, disabled, onUse, onDownload, onCopy, onDelete }: KeptRowProps,
) {
  const { id, bytes, kind, tensors, parameters, created } = kept;
  const short = shortId(id);
  const facts = [
    kind.replace("_", " "),
    countOf(tensors, "tensor"),
    countOf(parameters, "parameter"),
    formatBytes(bytes),
  ];
  return (
    <li class="kept-row" aria-label={`Checkpoint ${short}`}>
      <p class="line">
        <span class="mono" title={id}>{short}</span>
        <time class="quiet" dateTime={created}>{new Date(created).toLocaleString()}</time>
      </p>
      <p class="quiet numbers">{facts.join(" · ")}</p>
      <div class="actions">
        <button type="button" class="small" disabled={disabled} onClick={onUse}>
          Use in Merge
        </button>
        <button type="button" class="small" disabled={disabled} onClick={onDownload}>
          Download
        </button>
        <button type="button" class="small" disabled={disabled} onClick={onCopy}>
          Copy to {PLACE_NAMES[otherPlace(place)]}
        </button>
        <button
          type="button"
          class="small"
          disabled={disabled}
          aria-label={`Delete ${short}`}
          onClick={onDelete}
        >
          Delete
        </button>
      </div>
      <Tensors place={place} id={id} />
    </li>
  );
}

/** The tensors, which are asked for when they are opened. */
function Tensors({ place, id }: { readonly place: Place; readonly id: string }) {
  const { sends } = useSession();
  const [found, setFound] = useState<Inspected>();
  const open = async (isOpen: boolean) => {
    if (!isOpen || found && "outline" in found) return;
    const source = { name: shortId(id), origin: { type: "checkpoint", id } } as const;
    setFound(await inspect(source, sends[place]));
  };
  return (
    <details onToggle={(event) => void open(event.currentTarget.open)}>
      <summary>Tensors</summary>
      {found && "fault" in found && <ProblemNotice problem={found.fault} />}
      {found && "outline" in found && (
        <TensorTree label={`Tensors of ${shortId(id)}`} tensors={found.outline.tensors} />
      )}
      {!found && <p class="quiet" role="status">Reading the header…</p>}
    </details>
  );
}
