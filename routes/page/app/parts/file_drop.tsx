/**
 * A place to drop files on, with a button that does the same.
 *
 * @module
 */
import type { ComponentChildren } from "preact";
import { useId, useRef, useState } from "preact/hooks";
import { droppedFiles } from "./dropped_files.ts";

/** What the place is for. */
export interface FileDropProps {
  /** What the button says, such as `Choose checkpoints`. */
  readonly label: string;
  /** What may be dropped, in a sentence. */
  readonly children?: ComponentChildren;
  /** Endings, as for an input's `accept`; any file if absent. */
  readonly accept?: string;
  /** Whether several files may be chosen; true if absent. */
  readonly multiple?: boolean;
  readonly disabled?: boolean;
  onFiles(files: readonly File[]): void;
}

/** A place to drop files on. */
export function FileDrop(
  { label, children, accept, multiple = true, disabled = false, onFiles }: FileDropProps,
) {
  const input = useRef<HTMLInputElement>(null);
  // Entering a child comes before leaving its parent.
  const depth = useRef(0);
  const [over, setOver] = useState(false);
  const hint = useId();
  const leave = () => {
    depth.current = 0;
    setOver(false);
  };
  return (
    <div
      class={over ? "drop over" : "drop"}
      onDragEnter={(event) => {
        event.preventDefault();
        depth.current++;
        setOver(true);
      }}
      onDragOver={(event) => event.preventDefault()}
      onDragLeave={() => {
        if (--depth.current <= 0) leave();
      }}
      onDrop={(event) => {
        event.preventDefault();
        leave();
        droppedFiles(event.dataTransfer).then((files) => {
          if (!disabled && files.length > 0) onFiles(multiple ? files : files.slice(0, 1));
        });
      }}
    >
      <button
        type="button"
        disabled={disabled}
        aria-describedby={children === undefined ? undefined : hint}
        onClick={() => input.current?.click()}
      >
        {label}
      </button>
      {children !== undefined && <p id={hint} class="quiet">{children}</p>}
      <input
        ref={input}
        type="file"
        hidden
        aria-label={label}
        multiple={multiple}
        accept={accept}
        onChange={(event) => {
          const files = [...event.currentTarget.files ?? []];
          // The same file may be chosen again.
          event.currentTarget.value = "";
          if (files.length > 0) onFiles(files);
        }}
      />
    </div>
  );
}
