/**
 * Writes `methods.md` (`deno task docs`).
 *
 * @module
 */
import { methodsPage } from "./methods_page.ts";

await Deno.writeTextFile(new URL("methods.md", import.meta.url), methodsPage());
