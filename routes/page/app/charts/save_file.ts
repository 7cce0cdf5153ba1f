/**
 * Saves what the page made as a file.
 *
 * @module
 */

/** How long the bytes are held for the browser to take them. */
const HELD_MS = 60_000;

/** Hands bytes to the browser's downloads. */
export function saveFile(name: string, bytes: Blob): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(bytes);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), HELD_MS);
}
