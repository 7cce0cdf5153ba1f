/**
 * Asks for the bearer key; it is kept in memory only.
 *
 * @module
 */
import { useState } from "preact/hooks";
import { Dialog } from "../parts/dialog.tsx";
import { Field } from "../parts/field.tsx";

/** What is done with the key. */
export interface KeyEntryProps {
  readonly open: boolean;
  /** Whether a key was refused. */
  readonly isWrong: boolean;
  /** Is told the key, or that none was entered. */
  onKey(key: string | undefined): void;
}

/** The window that asks for the key. */
export function KeyEntry({ open, isWrong, onKey }: KeyEntryProps) {
  const [typed, setTyped] = useState("");
  const close = (key?: string) => {
    setTyped("");
    onKey(key);
  };
  return (
    <Dialog title="This service asks for a key" open={open} onClose={() => open && close()}>
      <form
        class="key-entry"
        onSubmit={(event) => {
          event.preventDefault();
          if (typed.trim() !== "") close(typed.trim());
        }}
      >
        <Field
          label="Key"
          description="Kept in this page's memory only: it is gone when the page is closed or loaded again."
          fault={isWrong ? "The service did not accept the key." : undefined}
        >
          {({ id, describedBy }) => (
            <input
              id={id}
              type="password"
              value={typed}
              autocomplete="off"
              aria-describedby={describedBy}
              aria-invalid={isWrong ? "true" : undefined}
              onInput={(event) => setTyped(event.currentTarget.value)}
            />
          )}
        </Field>
        <p class="actions">
          <button type="submit" class="primary">Use this key</button>
          <button type="button" onClick={() => close()}>Not now</button>
        </p>
      </form>
    </Dialog>
  );
}
