/**
 * Leads from a place in a document to the control that has its value.
 *
 * @module
 */

/**
 * Gives the focus to the control with this `data-path`, or with the longest that this one goes on from.
 *
 * @returns Whether there is one.
 */
export function focusPath(path: string): boolean {
  const controls = [...document.querySelectorAll<HTMLElement>("[data-path]")]
    .filter((element) => element.checkVisibility());
  for (let at = path; at !== ""; at = parentOf(at)) {
    const found = controls.find((element) => element.dataset.path === at);
    if (!found) continue;
    found.scrollIntoView({ block: "center" });
    found.focus();
    return true;
  }
  return false;
}

/** The path without its last step: `models[1].parameters` of `models[1].parameters.density`. */
export function parentOf(path: string): string {
  return path.replace(/(?:\.[^.[\]]*|\[[^\]]*\]|^[^.[]+)$/, "");
}
