/**
 * A window over the page that is closed before anything else goes on.
 *
 * @module
 */
import type { ComponentChildren } from "preact";
import { useId, useLayoutEffect, useRef } from "preact/hooks";

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
  useLayoutEffect(() => {
    const element = dialog.current;
    if (open && element?.open === false) element.showModal();
    if (!open && element?.open) element.close();
  }, [open]);
  // The event comes late: the window may be open again by then, for another question.
  const closed = () => {
    if (!dialog.current?.open) onClose();
  };
  return (
    <dialog ref={dialog} aria-labelledby={heading} onClose={closed}>
      <h2 id={heading}>{title}</h2>
      {open && children}
    </dialog>
  );
}
