/**
 * The permissions of `deno task serve`, so that tests meet what an operator meets.
 *
 * @module
 */

/** The flags between `deno run` and `serve.ts` in the task. */
export async function serveFlags(): Promise<string[]> {
  const { tasks } = JSON.parse(
    await Deno.readTextFile(new URL("../../deno.json", import.meta.url)),
  );
  return /deno run (.*) serve\.ts$/.exec(tasks.serve)![1]!.replaceAll("'", "").split(" ");
}
