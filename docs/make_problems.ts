/**
 * Writes `problems.md` (`deno task docs`).
 *
 * @module
 */
import { problemsPage } from "./problems_page.ts";

await Deno.writeTextFile(new URL("problems.md", import.meta.url), problemsPage());
