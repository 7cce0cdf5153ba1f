/**
 * mergekit on the same input, where it is installed.
 *
 * @module
 */
import { residentSet } from "../server.ts";

/** What a run of mergekit took. */
export interface MergekitRun {
  readonly seconds: number;
  /** MB. */
  readonly peak: number;
}

/** The command, or undefined. */
export async function findMergekit(): Promise<string | undefined> {
  const command = Deno.env.get("MERGEKIT") ?? "mergekit-pytorch";
  try {
    await new Deno.Command(command, { args: ["--help"], stdout: "null", stderr: "null" }).output();
    return command;
  } catch {
    return undefined;
  }
}

/** Merges with mergekit; models by path. */
export async function runMergekit(
  command: string,
  recipe: Record<string, unknown>,
  folder: string,
): Promise<MergekitRun> {
  const config = `${folder}/mergekit.yml`;
  await Deno.writeTextFile(config, JSON.stringify(recipe));
  const started = performance.now();
  const process = new Deno.Command(command, {
    args: [config, `${folder}/mergekit-out`],
    stdout: "null",
    stderr: "piped",
  }).spawn();
  let peak = 0;
  const timer = setInterval(() => peak = Math.max(peak, residentSet(process.pid)), 20);
  const { code, stderr } = await process.output();
  clearInterval(timer);
  if (code !== 0) throw new Error(new TextDecoder().decode(stderr).slice(-500));
  return { seconds: (performance.now() - started) / 1000, peak };
}
