/**
 * Tells what dropped files are for: checkpoints, what stands beside them, and recipes.
 *
 * @module
 */

/** A checkpoint among the files, with what belongs to it. */
export interface DroppedCheckpoint {
  readonly file: File;
  /** Of an adapter: its configuration. */
  readonly config?: File;
  /** Of an index: the files that it may name. */
  readonly beside?: ReadonlyMap<string, File>;
}

/** What dropped files are for. */
export interface DroppedFiles {
  readonly checkpoints: readonly DroppedCheckpoint[];
  readonly recipes: readonly File[];
  /** Configurations of adapters that did not come with them. */
  readonly configs: readonly File[];
}

const CONFIG = /(?:^|[._-])(?:adapter_)?config(?:\.json)?$/i;
const INDEX = /\.index\.json$/i;
const SHARD = /-\d{4,}-of-\d{4,}\.safetensors$/i;
const RECIPE = /\.(?:ya?ml|json)$/i;

/** Sorts files by their names; their folders tell what belongs together. */
export function sortFiles(files: readonly File[]): DroppedFiles {
  const indexes = files.filter(({ name }) => INDEX.test(name));
  const configs = files.filter(({ name }) => !INDEX.test(name) && CONFIG.test(name));
  const recipes = files.filter((file) =>
    RECIPE.test(file.name) && !indexes.includes(file) && !configs.includes(file)
  );
  const rest = files.filter((file) =>
    !indexes.includes(file) && !configs.includes(file) && !recipes.includes(file)
  );
  const isShard = (file: File) =>
    SHARD.test(file.name) && indexes.some((index) => folderOf(index) === folderOf(file));
  const alone = rest.filter((file) => !isShard(file));
  const used = new Set<File>();
  const checkpoints = alone.map((file): DroppedCheckpoint => {
    const config = configs.find((each) => !used.has(each) && belongs(each, file, alone));
    if (config) used.add(config);
    return { file, ...(config ? { config } : {}) };
  });
  for (const index of indexes) {
    const beside = rest.filter((file) => folderOf(file) === folderOf(index));
    checkpoints.push({ file: index, beside: new Map(beside.map((file) => [file.name, file])) });
  }
  return { checkpoints, recipes, configs: configs.filter((config) => !used.has(config)) };
}

/** Whether a configuration is that of a file: it has its name, or they are alone in one folder. */
function belongs(config: File, file: File, all: readonly File[]): boolean {
  const stem = file.name.replace(/\.safetensors$/i, "");
  if (config.name.startsWith(`${stem}.`)) return true;
  const folder = folderOf(config);
  return /^adapter_config\.json$/i.test(config.name) && folderOf(file) === folder &&
    all.filter((each) => folderOf(each) === folder).length === 1;
}

function folderOf({ webkitRelativePath = "" }: File): string {
  return webkitRelativePath.slice(0, webkitRelativePath.lastIndexOf("/") + 1);
}
