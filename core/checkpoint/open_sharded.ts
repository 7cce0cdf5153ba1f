/**
 * Opens a checkpoint that is cut into shards: reads the index and the header of every shard.
 *
 * @module
 */
import { type Fault, Problem } from "../problem.ts";
import type { ByteSource } from "./byte_source.ts";
import type { Checkpoint, CheckpointKind, StoredTensor } from "./checkpoint.ts";
import { quote, sourceMember } from "./header_fault.ts";
import { type OpenOptions, openSafetensors } from "./open_safetensors.ts";
import { readShardedIndex, type WeightMap } from "./sharded_index.ts";

/** Shards whose headers are read at once. */
const AT_ONCE = 4;
/** How many faults a problem document lists. */
const LISTED = 20;

/** Opens a file that another one names by a path relative to itself. */
export type OpenBeside = (path: string) => Promise<ByteSource>;

/**
 * Opens all shards and checks the index against their headers. The checkpoint then owns the index and the
 * shards; if this throws, the shards are closed, and the index is still the caller's to close.
 *
 * @param index The index file.
 * @param openBeside Opens a shard by the name that the index has for it.
 * @throws {Problem} `invalid-checkpoint` with `errors` if a tensor is missing, lies in another shard than
 * the index says, stands in two shards, or is not in the index; whatever the shards' headers or `openBeside`
 * throw, with `shard`.
 */
export async function openSharded(
  index: ByteSource,
  openBeside: OpenBeside,
  options: OpenOptions = {},
): Promise<Checkpoint> {
  const named = options.name === undefined ? {} : { source: options.name };
  const map = await readShardedIndex(index, named, options.signal);
  const files = [...new Set(map.values())].sort();
  const shards = new Map<string, Checkpoint>();
  const closeShards = () => shards.forEach((shard) => shard.close());
  try {
    await openAll(files, openBeside, options, shards);
    const tensors = checkIndex(map, files, shards, options);
    const opened = files.map((file) => shards.get(file)!);
    return {
      kind: options.kind ?? commonKind(files, shards, options),
      tensors,
      metadata: commonMetadata(opened),
      byteLength: opened.reduce((sum, { byteLength }) => sum + byteLength, 0),
      close() {
        closeShards();
        index.close?.();
      },
    };
  } catch (error) {
    closeShards();
    throw error;
  }
}

async function openAll(
  files: readonly string[],
  openBeside: OpenBeside,
  options: OpenOptions,
  shards: Map<string, Checkpoint>,
): Promise<void> {
  let next = 0;
  let failed = false;
  const work = async () => {
    while (next < files.length && !failed) {
      const file = files[next++]!;
      try {
        shards.set(file, await openShard(file, openBeside, options));
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  // All must have ended before the caller closes what was opened.
  const results = await Promise.allSettled(Array.from({ length: AT_ONCE }, work));
  for (const result of results) if (result.status === "rejected") throw result.reason;
}

async function openShard(
  file: string,
  openBeside: OpenBeside,
  options: OpenOptions,
): Promise<Checkpoint> {
  let bytes: ByteSource | undefined;
  try {
    bytes = await openBeside(file);
    return await openSafetensors(bytes, options);
  } catch (error) {
    bytes?.close?.();
    if (!(error instanceof Problem)) throw error;
    const detail = `Cannot read the shard ${quote(file)}: ${error.message}`;
    const members = { ...sourceOf(options), ...error.members, shard: file };
    throw new Problem(error.kind, detail, members, error);
  }
}

/** The tensors of all shards, if they are exactly those that the index names, each in its file. */
function checkIndex(
  map: WeightMap,
  files: readonly string[],
  shards: ReadonlyMap<string, Checkpoint>,
  options: OpenOptions,
): ReadonlyMap<string, StoredTensor> {
  const tensors = new Map<string, StoredTensor>();
  const owners = new Map<string, string>();
  const faults: (Fault & { readonly tensor: string; readonly shard: string })[] = [];
  const fault = (tensor: string, shard: string, what: string) =>
    faults.push({
      path: "weight_map",
      message: `Cannot find the tensor ${quote(tensor)} as ${what}`,
      tensor,
      shard,
    });
  for (const file of files) {
    for (const [name, tensor] of shards.get(file)!.tensors) {
      const said = map.get(name);
      const before = owners.get(name);
      if (before !== undefined) {
        fault(name, file, `it stands in two shards: ${quote(before)} and ${quote(file)}`);
      } else if (said === undefined) {
        fault(name, file, `the index does not name it: it lies in ${quote(file)}`);
      }
      owners.set(name, file);
      tensors.set(name, tensor);
    }
  }
  for (const [name, file] of map) {
    const owner = owners.get(name);
    if (owner === undefined) fault(name, file, `the index says that ${quote(file)} holds it`);
    else if (owner !== file) {
      fault(name, file, `the index says that ${quote(file)} holds it: it lies in ${quote(owner)}`);
    }
  }
  const [first] = faults;
  if (first === undefined) return tensors;
  const more = faults.length === 1 ? "" : ` (and ${faults.length - 1} more faults)`;
  throw new Problem("invalid-checkpoint", first.message + more, {
    ...sourceOf(options),
    tensor: first.tensor,
    shard: first.shard,
    errors: faults.slice(0, LISTED).map(({ path, message }) => ({ path, message })),
  });
}

function commonKind(
  files: readonly string[],
  shards: ReadonlyMap<string, Checkpoint>,
  options: OpenOptions,
): CheckpointKind {
  const { kind } = shards.get(files[0]!)!;
  const other = files.find((file) => shards.get(file)!.kind !== kind);
  if (other === undefined) return kind;
  throw new Problem(
    "invalid-checkpoint",
    `Cannot read the shards as all must be of kind ${kind} like the first: ` +
      `current value of ${quote(other)} is ${shards.get(other)!.kind}`,
    { ...sourceOf(options), shard: other },
  );
}

/** The metadata that all shards agree on. */
function commonMetadata(shards: readonly Checkpoint[]): Record<string, string> {
  const [first, ...others] = shards;
  const entries = Object.entries(first?.metadata ?? {}).filter(([key, value]) =>
    others.every(({ metadata }) => Object.hasOwn(metadata, key) && metadata[key] === value)
  );
  return Object.fromEntries(entries);
}

function sourceOf({ name }: OpenOptions): { readonly source?: string } {
  return sourceMember(name === undefined ? {} : { source: name });
}
