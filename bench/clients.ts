/**
 * How a caller merges: by files, by upload, from the store, by URL. The client is curl where it is
 * installed, as it takes next to nothing from the two processors that the service runs on.
 *
 * @module
 */

/** Where the inputs are. */
export type InputKind = "path" | "upload" | "store" | "url";

/** What is merged. */
export interface MergeRun {
  readonly origin: string;
  readonly recipe: Record<string, unknown>;
  /** Source names and file names in `folder`. */
  readonly files: Readonly<Record<string, string>>;
  readonly folder: string;
  readonly output: string;
  /** Origin of the range server, for `url`. */
  readonly ranges: string;
}

/** Runs one merge until its result is in a file; answers seconds. */
export async function runMerge(kind: InputKind, run: MergeRun): Promise<number> {
  const sources = await sourcesOf(kind, run);
  const document = JSON.stringify({ ...run.recipe, sources });
  const form = kind === "upload";
  const args = form
    ? [
      "-F",
      `recipe=${document};type=application/json`,
      ...Object.entries(run.files).flatMap((
        [name, file],
      ) => ["-F", `${name}=@${run.folder}/${file}`]),
    ]
    : ["-H", "content-type: application/json", "--data", document];
  const started = performance.now();
  const { code, stderr } = await new Deno.Command("curl", {
    args: [
      "--silent",
      "--show-error",
      "--fail-with-body",
      "-o",
      run.output,
      ...args,
      `${run.origin}/merge`,
    ],
    stderr: "piped",
  }).output();
  if (code !== 0) {
    const answer = await Deno.readTextFile(run.output).catch(() => "");
    throw new Error(
      `The merge failed: ${new TextDecoder().decode(stderr)} ${answer.slice(0, 500)}`,
    );
  }
  return (performance.now() - started) / 1000;
}

async function sourcesOf(kind: InputKind, run: MergeRun): Promise<Record<string, unknown>> {
  const entries = Object.entries(run.files).map(async ([name, file]) => {
    switch (kind) {
      case "path":
        return [name, { path: file }];
      case "upload":
        return [name, { upload: true }];
      case "url":
        return [name, { url: `${run.ranges}/${file}` }];
      case "store":
        return [name, { checkpoint: await store(run.origin, `${run.folder}/${file}`) }];
    }
  });
  return Object.fromEntries(await Promise.all(entries));
}

async function store(origin: string, path: string): Promise<string> {
  const { stdout } = await new Deno.Command("curl", {
    args: [
      "--silent",
      "-H",
      "content-type: application/octet-stream",
      "-X",
      "POST",
      "-T",
      path,
      `${origin}/checkpoints`,
    ],
  }).output();
  return JSON.parse(new TextDecoder().decode(stdout)).id;
}
