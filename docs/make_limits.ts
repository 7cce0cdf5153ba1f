/**
 * Writes `limits.md` (`deno task docs`).
 *
 * @module
 */
import { limitsPage } from "./limits_page.ts";

await Deno.writeTextFile(new URL("limits.md", import.meta.url), limitsPage());
