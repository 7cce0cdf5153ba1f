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
  const body = kind === "upload"
    ? uploadArguments(document, run.files, run.folder)
    : ["-H", "content-type: application/json", "--data", document];
  const started = performance.now();
  await curl([...body, `${run.origin}/merge`], run.output);
  return (performance.now() - started) / 1000;
}

/** How curl sends a recipe and files. */
export function uploadArguments(
  recipe: string,
  files: Readonly<Record<string, string>>,
  folder: string,
): string[] {
  return [
    ...["-F", `recipe=${recipe};type=application/json`],
    ...Object.entries(files).flatMap(([name, file]) => ["-F", `${name}=@${folder}/${file}`]),
  ];
}

/** Runs curl until the answer is in a file. */
export async function curl(args: readonly string[], output: string): Promise<void> {
  const { code, stderr } = await new Deno.Command("curl", {
    args: ["--silent", "--show-error", "--fail-with-body", "-o", output, ...args],
    stderr: "piped",
  }).output();
  if (code === 0) return;
  const answer = output.startsWith("/dev/") ? "" : await Deno.readTextFile(output).catch(() => "");
  throw new Error(
    `The call failed: ${new TextDecoder().decode(stderr)} ${answer.slice(0, 500)}`,
  );
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
