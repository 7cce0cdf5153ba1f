/**
 * Serves amalgam on this machine (`deno task serve`).
 *
 * Apart from `main.ts`, since `deno run` warns of a default export with `fetch`.
 *
 * @module
 */
import { serve } from "./main.ts";

serve();
