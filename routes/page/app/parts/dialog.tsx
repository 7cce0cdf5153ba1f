/**
 * A window over the page that is closed before anything else goes on.
 *
 * @module
 */
import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";

/** What the window holds. */
export interface DialogProps {
  readonly title: string;
  readonly open: boolean;
  readonly children: ComponentChildren;
  /** Is told when it is closed by Escape or its button. */
  onClose(): void;
}

/** A modal window; the browser keeps the focus inside and gives it back. */
export function Dialog({ title, open, children, onClose }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const heading = useId();
  useEffect(() => {
    const element = dialog.current;
    if (open && element?.open === false) element.showModal();
    if (!open && element?.open) element.close();
  }, [open]);
  return (
    <dialog ref={dialog} aria-labelledby={heading} onClose={onClose}>
      <h2 id={heading}>{title}</h2>
      {open && children}
    </dialog>
  );
}
